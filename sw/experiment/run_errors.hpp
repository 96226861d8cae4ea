// Errors of a step that belongs to a run, told with its name.
#pragma once

#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "sw/experiment/scenario.hpp"
#include "sw/reading/node.hpp"
#include "sw/support/stop_request.hpp"

namespace abacus::experiment {

// Throws with `start` and the run's name in front, unless the message already says where in which file.
template <typename Error, typename Step>
auto with_start(const std::string& start, const RunSpec& run, const Step& step) {
  const std::string named = start + "run \"" + run.name + "\": ";
  try {
    return step();
  } catch (const reading::InputError&) {
    throw;
  } catch (const support::Stopped&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw std::runtime_error(named + "not enough memory");
  } catch (const std::exception& error) {
    throw Error(named + error.what());
  }
}

template <typename Step>
auto for_run(const RunSpec& run, const Step& step) {
  return with_start<std::runtime_error>("", run, step);
}

// Likewise, where the scenario asks for what cannot be.
template <typename Step>
auto at_place(const RunSpec& run, const std::string& place, const Step& step) {
  return with_start<reading::InputError>(place + ": ", run, step);
}

}  // namespace abacus::experiment

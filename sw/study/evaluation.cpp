#include "sw/study/evaluation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "sw/experiment/run_outcome.hpp"

namespace abacus::study {
namespace {

using Json = nlohmann::json;

constexpr int most_tries = 3;
// Of functional images: what a stop may cost.
constexpr std::int64_t images_a_task = 250;

}  // namespace

Progress& Progress::operator+=(const Progress& other) {
  done += other.done;
  kept += other.kept;
  infeasible += other.infeasible;
  failed += other.failed;
  return *this;
}

std::string Progress::text() const {
  std::string text = std::to_string(done) + " done";
  if (kept > 0) text += " (" + std::to_string(kept) + " kept)";
  text += ", " + std::to_string(infeasible) + " infeasible, " + std::to_string(failed) + " failed";
  return text;
}

Evaluation::Evaluation(const Study& study, PointRuns& runs, Store& store, int jobs,
                       bool retry_failed, Tell tell)
    : study_(study),
      points_(study),
      store_(store),
      retry_failed_(retry_failed),
      tell_(std::move(tell)),
      work_(runs),
      pool_(jobs, [this](const std::string& task) {
        return work_.answer(Json::parse(task)).dump(-1, ' ', false, Json::error_handler_t::replace);
      }) {}

void Evaluation::enqueue(Task task) {
  queue_.push_back(next_);
  tasks_[next_++] = std::move(task);
}

void Evaluation::run(const std::vector<std::int64_t>& numbers) {
  auto coming = numbers.begin();
  open_points_ = static_cast<std::int64_t>(numbers.size());
  while (open_points_ > 0) {
    // As many as are needed, so that a long study takes no more memory than a short one.
    while (queue_.empty() && coming != numbers.end() && pool_.has_idle()) {
      enqueue({*coming++, "", -1, 0, 0});
      give_tasks();
    }
    give_tasks();
    for (const WorkerPool::Answer& answer : pool_.wait()) take(answer);
    store_.sync();
    tell_(progress_);
  }
}

void Evaluation::give_tasks() {
  while (!queue_.empty() && pool_.has_idle()) {
    const std::int64_t id = queue_.front();
    queue_.pop_front();
    const Task& task = tasks_.at(id);
    Json told = {{"number", task.point}};
    if (task.first >= 0) {
      told["first"] = task.first;
      told["count"] = task.count;
    } else {
      const auto known = store_.hashes().find(task.point);
      if (known != store_.hashes().end()) {
        const bool again = retry_failed_ && store_.find(task.point)->status == "failed";
        if (!again) told["known"] = known->second;
      }
      const auto key = key_of_.find(task.point);
      if (key != key_of_.end() && !images_[key->second].outcome.empty()) {
        told["functional"] = Json::parse(images_[key->second].outcome);
      }
    }
    pool_.give(id, told.dump());
  }
}

void Evaluation::take(const WorkerPool::Answer& answer) {
  const Task task = tasks_.at(answer.number);
  tasks_.erase(answer.number);
  const Json said = answer.text ? Json::parse(*answer.text)
                                : Json{{"status", "failed"}, {"hash", ""}, {"reason", answer.how}};
  if (answer.killed && task.killed + 1 < most_tries) {
    Task again = task;
    ++again.killed;
    enqueue(std::move(again));
    return;
  }
  if (task.first < 0) {
    take_point(task.point, said);
  } else if (said.at("status") == "images") {
    const std::string outcome = said.at("outcome").dump();
    store_.keep_functional(task.key, task.first, outcome);
    take_images(task.key, task.first, outcome);
  } else {
    images_[task.key].error = said.at("reason");
    take_images(task.key, task.first, "");
  }
}

void Evaluation::take_point(std::int64_t number, const Json& answer) {
  const std::string status = answer.at("status");
  if (status == "needs") {
    wait_for_images(number, answer);
    return;
  }
  key_of_.erase(number);
  --open_points_;
  ++progress_.done;
  if (status != "same") {
    keep(number, answer);
    return;
  }
  ++progress_.kept;
  const std::string kept = store_.find(number)->status;
  progress_.infeasible += kept == "infeasible" ? 1 : 0;
  progress_.failed += kept == "failed" ? 1 : 0;
}

void Evaluation::keep(std::int64_t number, const Json& answer) {
  StoredPoint point;
  point.number = number;
  point.status = answer.at("status");
  point.hash = answer.value("hash", "");
  point.reason = answer.value("reason", "");
  point.package = answer.value("package", "");
  point.metrics = answer.value("metrics", "");
  point.seconds = answer.value("seconds", 0.0);
  nlohmann::ordered_json axes = nlohmann::ordered_json::object();
  const std::vector<std::size_t> at = points_.position(number);
  for (std::size_t a = 0; a < at.size(); ++a) {
    const reading::Node& value = study_.axes[a].values[at[a]];
    auto& told = axes[study_.axes[a].name];
    if (const auto* whole = value.as<std::int64_t>()) told = *whole;
    if (const auto* real = value.as<double>()) told = *real;
    if (const auto* truth = value.as<bool>()) told = *truth;
    if (const auto* text = value.as<std::string>()) told = *text;
    if (value.as<reading::Node::List>() != nullptr) told = at[a];
  }
  point.axes = axes.dump(-1, ' ', false, Json::error_handler_t::replace);
  progress_.infeasible += point.status == "infeasible" ? 1 : 0;
  progress_.failed += point.status == "failed" ? 1 : 0;
  store_.keep(point);
}

void Evaluation::wait_for_images(std::int64_t number, const Json& answer) {
  const std::string key = answer.at("key");
  key_of_[number] = key;
  const bool is_new = images_.count(key) == 0;
  Images& images = images_[key];
  if (!images.error.empty() && images.missing == 0) {
    take_point(number, {{"status", "failed"}, {"hash", ""}, {"reason", images.error}});
    return;
  }
  if (!images.outcome.empty()) {  // this worker has not heard of it
    enqueue({number, "", -1, 0, 0});
    return;
  }
  images.waiting.push_back(number);
  if (!is_new) return;
  const std::map<std::int64_t, std::string> kept = store_.functional(key);
  const std::int64_t end = answer.at("end");
  std::vector<std::pair<std::int64_t, std::string>> there;
  for (std::int64_t first = answer.at("first"); first < end; first += images_a_task) {
    images.parts[first] = "";
    ++images.missing;
    const auto found = kept.find(first);
    if (found != kept.end()) {
      there.emplace_back(first, found->second);
    } else {
      enqueue({number, key, first, std::min(images_a_task, end - first), 0});
    }
  }
  for (const auto& [first, outcome] : there) take_images(key, first, outcome);
}

void Evaluation::take_images(const std::string& key, std::int64_t first,
                             const std::string& outcome) {
  Images& images = images_.at(key);
  images.parts[first] = outcome;
  if (--images.missing > 0) return;
  if (images.error.empty()) {
    experiment::RunOutcome all;
    for (const auto& [place, part] : images.parts) {
      experiment::append(all, experiment::outcome_from_json(Json::parse(part)));
    }
    images.outcome = experiment::to_json(all).dump();
  }
  images.parts.clear();
  for (const std::int64_t number : std::exchange(images.waiting, {})) {
    if (images.error.empty()) {
      enqueue({number, "", -1, 0, 0});
    } else {
      take_point(number, {{"status", "failed"}, {"hash", ""}, {"reason", images.error}});
    }
  }
}

}  // namespace abacus::study

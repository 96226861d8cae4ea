#include "sw/quant/options/option_help.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "sw/quant/options/scheme.hpp"

namespace abacus::quant {
namespace {

// Over the schemes that `name` gives a name.
OptionHelp help_of(const QuantizationOption& option,
                   const std::function<std::string(const QuantizationScheme&)>& name) {
  OptionHelp help{option.flag(), option.meaning(), {}, false};
  std::size_t schemes = 0;
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    const std::string user = name(scheme);
    if (user.empty()) continue;
    ++schemes;
    const TakenQuantizationOption* taken = scheme.find(option);
    if (taken == nullptr) continue;
    const OptionUse use{{user}, shown_limits(*taken), taken->usual, taken->with};
    const auto same = std::find_if(help.uses.begin(), help.uses.end(), [&](const OptionUse& other) {
      return other.allowed == use.allowed && other.usual == use.usual && other.with == use.with;
    });
    if (same == help.uses.end()) {
      help.uses.push_back(use);
    } else {
      same->users.push_back(user);
    }
  }
  std::stable_sort(help.uses.begin(), help.uses.end(), [](const OptionUse& a, const OptionUse& b) {
    return a.users.size() > b.users.size();
  });
  std::size_t users = 0;
  for (const OptionUse& use : help.uses) users += use.users.size();
  const bool unconditional = std::all_of(help.uses.begin(), help.uses.end(),
                                         [](const OptionUse& use) { return use.with.empty(); });
  help.everyone = users == schemes && unconditional;
  return help;
}

std::string first_and_exceptions(const std::vector<OptionUse>& uses,
                                 const std::function<std::string(const OptionUse&)>& told) {
  std::string text = told(uses.front());
  for (const OptionUse& use : uses) {
    if (told(use) != told(uses.front())) text += "; " + listed(use.users) + ": " + told(use);
  }
  return text;
}

}  // namespace

std::string OptionHelp::allowed() const {
  return first_and_exceptions(uses, [](const OptionUse& use) { return use.allowed; });
}

std::string OptionHelp::usual() const {
  return first_and_exceptions(uses, [](const OptionUse& use) {
    return use.usual.empty() ? std::string("none, has to be given") : use.usual;
  });
}

std::string OptionHelp::users() const {
  if (everyone) return "all";
  std::string text;
  for (const OptionUse& use : uses) {
    std::string who = listed(use.users);
    if (!use.with.empty()) who += (who.empty() ? "" : " with ") + use.with;
    text += (text.empty() ? "" : "; ") + who;
  }
  return text;
}

std::string OptionHelp::sentence() const {
  return meaning + (everyone ? "" : ". Of " + users()) + ". Default: " + usual();
}

OptionHelp quantize_help(const QuantizationOption& option) {
  return help_of(option, [](const QuantizationScheme& scheme) { return scheme.name; });
}

const std::vector<const QuantizationOption*>& training_options() {
  static const std::vector<const QuantizationOption*> options = [] {
    std::vector<const QuantizationOption*> result;
    for (const QuantizationOption* option : quantization_options()) {
      if (!option->post_training() && !training_help(*option).uses.empty())
        result.push_back(option);
    }
    return result;
  }();
  return options;
}

OptionHelp training_help(const QuantizationOption& option) {
  return help_of(option, [](const QuantizationScheme& scheme) {
    return scheme.trains ? training_name(scheme) : std::string();
  });
}

std::string schemes_table() {
  std::string text = "| scheme | for | in short |\n| --- | --- | --- |\n";
  for (const QuantizationScheme& scheme : quantization_schemes()) {
    text += "| `" + scheme.name + "` | " + scheme.networks + " | " + scheme.summary + " |\n";
  }
  return text;
}

std::string options_table(const std::vector<OptionHelp>& options) {
  std::string text =
      "| option | values | default | of | meaning |\n| --- | --- | --- | --- | --- |\n";
  for (const OptionHelp& help : options) {
    text += "| `" + help.flag + "` | " + help.allowed() + " | " + help.usual() + " | " +
            help.users() + " | " + help.meaning + " |\n";
  }
  return text;
}

}  // namespace abacus::quant

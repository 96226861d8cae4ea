// One option of a quantization, said once: its name, what values it takes and what it means. Reading,
// checking, defaults, recipes, help and the documentation's tables all come from here.
//
// The values themselves are a template of fields (such as QuantizationValues), in two forms: as asked,
// where every field is a std::optional, and completed, where every field has a value.
#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sw/quant/options/option_text.hpp"
#include "sw/support/whole_number.hpp"

namespace abacus::quant {

template <typename T>
using Itself = T;

struct OptionWords {
  std::string_view flag;         // without "--"
  std::string_view meaning;      // a phrase: of --help and the documentation
  std::string_view unit = {};    // "bits"; empty: none
  std::string_view recipe = {};  // its name in recipes, where that is not the flag
  bool post_training = false;    // of what quantization-aware training does in its own way
};

template <template <template <typename> class> class Fields>
class Option {
 public:
  using Asked = Fields<std::optional>;
  using Completed = Fields<Itself>;

  std::string flag() const { return "--" + std::string(words_.flag); }
  std::string meaning() const { return std::string(words_.meaning); }
  std::string recipe_name() const {
    return std::string(words_.recipe.empty() ? words_.flag : words_.recipe);
  }
  std::string unit() const { return std::string(words_.unit); }
  bool post_training() const { return words_.post_training; }

  virtual std::string allowed() const = 0;  // "1 to 64", "max, mean, all, uniform"
  virtual bool is_asked(const Asked& values) const = 0;
  // Throws std::invalid_argument naming the flag, the text and what is allowed.
  virtual void read(const std::string& text, Asked& values) const = 0;
  // As in a recipe; empty where the completed value is none that can be asked for.
  virtual std::string text(const Completed& values) const = 0;

 protected:
  constexpr explicit Option(OptionWords words) : words_(words) {}
  ~Option() = default;
  [[noreturn]] void refuse(const std::string& found, const std::string& allowed) const {
    throw std::invalid_argument(flag() + " is " + found + "; allowed: " + allowed);
  }

 private:
  OptionWords words_;
};

template <template <template <typename> class> class Fields, typename T>
class TypedOption : public Option<Fields> {
 public:
  using typename Option<Fields>::Asked;
  using typename Option<Fields>::Completed;

  bool is_asked(const Asked& values) const final { return (values.*field_.asked).has_value(); }
  void read(const std::string& text, Asked& values) const final {
    const std::optional<T> value = value_of(text);
    if (!value.has_value() || !allows(*value)) this->refuse(text, this->allowed());
    values.*field_.asked = *value;
  }
  std::string text(const Completed& values) const final {
    const T& value = values.*field_.completed;
    return allows(value) ? text_of(value) : "";
  }
  void check(const T& value) const {
    if (!allows(value)) this->refuse(text_of(value), this->allowed());
  }
  const std::optional<T>& asked(const Asked& values) const { return values.*field_.asked; }
  T& completed(Completed& values) const { return values.*field_.completed; }

  virtual bool allows(const T& value) const = 0;
  virtual std::string text_of(const T& value) const = 0;
  // As a user writes and reads it.
  virtual std::string shown(const T& value) const { return text_of(value); }

 protected:
  // The field, in both forms.
  struct Field {
    std::optional<T> Asked::*asked;
    T Completed::*completed;
  };
  constexpr TypedOption(OptionWords words, Field field) : Option<Fields>(words), field_(field) {}
  ~TypedOption() = default;
  virtual std::optional<T> value_of(const std::string& text) const = 0;

 private:
  Field field_;
};

template <template <template <typename> class> class Fields, typename T>
class IntegerOption final : public TypedOption<Fields, T> {
  using Base = TypedOption<Fields, T>;

 public:
  struct Range {
    T lowest, highest;
  };
  constexpr IntegerOption(OptionWords words, typename Base::Field field, Range range)
      : Base(words, field), range_(range) {}
  std::string allowed() const override {
    const std::string from = option_text(range_.lowest);
    return range_.highest == std::numeric_limits<T>::max()
               ? from + " or more"
               : from + " to " + option_text(range_.highest);
  }
  bool allows(const T& value) const override {
    return value >= range_.lowest && value <= range_.highest;
  }
  std::string text_of(const T& value) const override { return option_text(value); }

 private:
  std::optional<T> value_of(const std::string& text) const override {
    return support::whole_number<T>(text);
  }
  Range range_;
};

// Above 0; up to `highest` where that is finite.
template <template <template <typename> class> class Fields>
class PositiveOption final : public TypedOption<Fields, double> {
  using Base = TypedOption<Fields, double>;

 public:
  constexpr PositiveOption(OptionWords words, typename Base::Field field,
                           double highest = std::numeric_limits<double>::infinity())
      : Base(words, field), highest_(highest) {}
  std::string allowed() const override {
    return std::isfinite(highest_) ? "above 0, at most " + option_text(highest_) : "above 0";
  }
  bool allows(const double& value) const override {
    return value > 0 && value <= highest_ && std::isfinite(value);
  }
  std::string text_of(const double& value) const override { return option_text(value); }

 private:
  std::optional<double> value_of(const std::string& text) const override { return real_of(text); }
  double highest_;
};

template <template <template <typename> class> class Fields>
class SwitchOption final : public TypedOption<Fields, bool> {
  using Base = TypedOption<Fields, bool>;

 public:
  constexpr SwitchOption(OptionWords words, typename Base::Field field) : Base(words, field) {}
  std::string allowed() const override { return "true, false"; }
  bool allows(const bool&) const override { return true; }
  std::string text_of(const bool& value) const override { return value ? "1" : "0"; }
  std::string shown(const bool& value) const override { return value ? "true" : "false"; }

 private:
  std::optional<bool> value_of(const std::string& text) const override { return truth_of(text); }
};

// `names` stand in the order of the enumeration's values.
template <template <template <typename> class> class Fields, typename Choice>
class ChoiceOption final : public TypedOption<Fields, Choice> {
  using Base = TypedOption<Fields, Choice>;
  using Names = const std::vector<std::string>& (*)();

 public:
  constexpr ChoiceOption(OptionWords words, typename Base::Field field, Names names)
      : Base(words, field), names_(names) {}
  std::string allowed() const override { return listed(names_()); }
  bool allows(const Choice& value) const override {
    return static_cast<std::size_t>(value) < names_().size();
  }
  std::string text_of(const Choice& value) const override {
    return names_().at(static_cast<std::size_t>(value));
  }

 private:
  std::optional<Choice> value_of(const std::string& text) const override {
    const std::optional<std::size_t> place = place_among(names_(), text);
    return place.has_value() ? std::optional<Choice>(static_cast<Choice>(*place)) : std::nullopt;
  }
  Names names_;
};

// An option as one scheme takes it: with its default there, and under what condition.
template <template <template <typename> class> class Fields>
struct TakenOption {
  using Asked = Fields<std::optional>;
  using Completed = Fields<Itself>;

  const Option<Fields>* option = nullptr;
  // Gives the completed values what was asked for, or the default; checks it. Where nothing was asked
  // for and there is no default: std::invalid_argument.
  std::function<void(const Asked&, Completed&)> complete;
  std::string usual;   // the default, in words; empty: none
  bool fixed = false;  // always the default: no option for the user
  std::string limits;  // in place of option->allowed()
  // Of the values completed so far, in the table's order; none: always. Where it is not met the field
  // stays as it is, and asking for it is refused.
  std::function<bool(const Completed&)> condition;
  std::string with;  // the condition, in words

  bool applies(const Completed& values) const { return !condition || condition(values); }
  std::string allowed() const { return limits.empty() ? option->allowed() : limits; }
  TakenOption when(std::function<bool(const Completed&)> of, std::string words) && {
    condition = std::move(of);
    with = std::move(words);
    return std::move(*this);
  }
};

// A default that depends on the options before it, and how it is told.
template <template <template <typename> class> class Fields, typename T>
struct Usual {
  std::function<T(const Fields<Itself>&)> value;
  std::string words;
};

// Narrower limits than the option's own.
struct Limits {
  std::int64_t lowest, highest;
  std::string words() const {
    return std::to_string(lowest) + (lowest == highest ? "" : " to " + std::to_string(highest));
  }
};

template <template <template <typename> class> class Fields, typename T>
TakenOption<Fields> takes(const TypedOption<Fields, T>& option, Usual<Fields, T> usual,
                          std::optional<Limits> limits = std::nullopt) {
  TakenOption<Fields> taken;
  taken.option = &option;
  taken.usual = usual.words;
  if (limits.has_value()) taken.limits = limits->words();
  taken.complete = [&option, usual = std::move(usual.value), limits](
                       const Fields<std::optional>& asked, Fields<Itself>& completed) {
    const std::optional<T>& value = option.asked(asked);
    if (!value.has_value()) {
      if (!usual) throw std::invalid_argument(option.flag() + " is required");
      option.completed(completed) = usual(completed);
      return;
    }
    if constexpr (std::is_arithmetic_v<T>) {
      if (limits.has_value() &&
          (*value < static_cast<T>(limits->lowest) || *value > static_cast<T>(limits->highest))) {
        throw std::invalid_argument(option.flag() + " is " + option.text_of(*value) +
                                    "; allowed: " + limits->words());
      }
    }
    option.check(*value);
    option.completed(completed) = *value;
  };
  return taken;
}

// A default that depends on nothing.
template <template <template <typename> class> class Fields, typename T, typename Value>
Usual<Fields, T> usually(const TypedOption<Fields, T>& option, Value usual) {
  const T value = static_cast<T>(usual);
  return {[value](const Fields<Itself>&) { return value; }, option.shown(value)};
}

template <template <template <typename> class> class Fields, typename T, typename Value>
TakenOption<Fields> takes(const TypedOption<Fields, T>& option, Value usual,
                          std::optional<Limits> limits = std::nullopt) {
  return takes(option, usually(option, usual), limits);
}

// Without a default.
template <template <template <typename> class> class Fields, typename T>
TakenOption<Fields> needs(const TypedOption<Fields, T>& option,
                          std::optional<Limits> limits = std::nullopt) {
  return takes(option, Usual<Fields, T>{}, limits);
}

template <template <template <typename> class> class Fields, typename T>
TakenOption<Fields> fixes(const TypedOption<Fields, T>& option, T value) {
  TakenOption<Fields> taken = takes(option, value);
  taken.fixed = true;
  return taken;
}

}  // namespace abacus::quant

#include "sw/study/expression.hpp"

#include <muparserx/mpParser.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "sw/reading/section.hpp"
#include "sw/support/overloaded.hpp"

namespace abacus::study {
namespace {

class Function : public mup::ICallback {
 public:
  Function(const char* name, double (*compute)(double))
      : mup::ICallback(mup::cmFUNC, name, 1), compute_(compute) {}
  void Eval(mup::ptr_val_type& result, const mup::ptr_val_type* arguments, int) override {
    *result = compute_(arguments[0]->GetFloat());
  }
  const mup::char_type* GetDesc() const override { return ""; }
  mup::IToken* Clone() const override { return new Function(*this); }

 private:
  double (*compute_)(double);
};

class Remainder : public mup::ICallback {
 public:
  Remainder() : mup::ICallback(mup::cmFUNC, "mod", 2) {}
  void Eval(mup::ptr_val_type& result, const mup::ptr_val_type* arguments, int) override {
    *result = std::fmod(arguments[0]->GetFloat(), arguments[1]->GetFloat());
  }
  const mup::char_type* GetDesc() const override { return ""; }
  mup::IToken* Clone() const override { return new Remainder(*this); }
};

constexpr const char* name_letters =
    "0123456789_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

}  // namespace

struct Expression::Parsed {
  std::string text;
  std::string start;
  std::map<std::string, mup::Value> values;  // the parser points at them
  std::set<std::string> used;
  mup::ParserX parser{mup::pckALL_NON_COMPLEX};

  [[noreturn]] void refuse_name(const std::string& word, std::size_t position) const {
    std::set<std::string> known;
    for (const auto& [name, value] : values) known.insert(name);
    const std::string near = reading::nearest(word, known);
    refuse(position, "nothing is called `" + word + '`' +
                         (near.empty() ? "" : "; did you mean `" + near + "`?") + " known here: " +
                         reading::joined(std::vector<std::string>(known.begin(), known.end())));
  }

  [[noreturn]] void refuse(std::size_t position, const std::string& what) const {
    throw reading::InputError(start + "column " + std::to_string(position + 1) + " of \"" + text +
                              "\": " + what);
  }

  // Where the name stands by itself; at the start where nowhere.
  std::size_t place_of(const std::string& name) const {
    const std::string letters = name_letters;
    for (std::size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
      const std::size_t end = at + name.size();
      const bool begins = at == 0 || letters.find(text[at - 1]) == std::string::npos;
      if (begins && (end == text.size() || letters.find(text[end]) == std::string::npos)) return at;
    }
    return 0;
  }

  [[noreturn]] void refuse(const mup::ParserError& error) const {
    const auto position = static_cast<std::size_t>(std::max(error.GetPos(), 0));
    if (error.GetCode() != mup::ecUNASSIGNABLE_TOKEN) refuse(position, error.GetMsg());
    const std::size_t end = std::min(text.find_first_not_of(name_letters, position), text.size());
    const std::string word = position < end ? text.substr(position, end - position) : "";
    refuse_name(word.empty() ? error.GetToken() : word, position);
  }

  template <typename Step>
  auto guarded(const Step& step) {
    try {
      return step();
    } catch (const mup::ParserError& error) {
      refuse(error);
    }
  }
};

Expression::Expression(const std::string& text, const std::string& start,
                       const std::set<std::string>& names)
    : parsed_(std::make_unique<Parsed>()) {
  Parsed& parsed = *parsed_;
  parsed.text = text;
  parsed.start = start;
  if (text.find_first_not_of(" \t") == std::string::npos) {
    throw reading::InputError(start + "is empty; allowed: a condition such as \"rows <= 64\"");
  }
  parsed.parser.DefineNameChars(name_letters);
  parsed.parser.DefineFun(new Function("floor", std::floor));
  parsed.parser.DefineFun(new Function("ceil", std::ceil));
  parsed.parser.DefineFun(new Function("round", std::round));
  if (!parsed.parser.IsFunDefined("log2")) parsed.parser.DefineFun(new Function("log2", std::log2));
  parsed.parser.DefineFun(new Remainder());
  for (const std::string& name : names) {
    mup::Value& value = parsed.values[name];
    if (parsed.parser.IsConstDefined(name)) parsed.parser.RemoveConst(name);
    parsed.parser.DefineVar(name, mup::Variable(&value));
  }
  parsed.parser.SetExpr(text);
  parsed.guarded([&] {
    for (const auto& [name, token] : parsed.parser.GetExprVar()) parsed.used.insert(name);
  });
  for (const std::string& name : parsed.used) {
    if (names.count(name) == 0) parsed.refuse_name(name, parsed.place_of(name));
  }
  // A value that is set would hold for the next point, too.
  for (std::size_t at = text.find('='); at != std::string::npos; at = text.find('=', at + 1)) {
    const bool doubled = at + 1 < text.size() && text[at + 1] == '=';
    if (doubled || (at > 0 && std::string("<>!=").find(text[at - 1]) != std::string::npos)) {
      at += doubled ? 1 : 0;
      continue;
    }
    throw reading::InputError(start + "column " + std::to_string(at + 1) + " of \"" + text +
                              "\": found =; allowed: == compares");
  }
}

Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

const std::string& Expression::text() const { return parsed_->text; }
const std::set<std::string>& Expression::names() const { return parsed_->used; }

Scalar Expression::value(const Values& values) const {
  Parsed& parsed = *parsed_;
  for (const std::string& name : parsed.used) {
    const Scalar scalar = values(name);
    if (std::holds_alternative<std::monostate>(scalar)) return std::monostate();
    mup::Value& value = parsed.values[name];
    std::visit(
        support::Overloaded{[](std::monostate) {}, [&](bool truth) { value = mup::Value(truth); },
                            [&](double number) { value = number; },
                            [&](const std::string& text) { value = text; }},
        scalar);
  }
  return parsed.guarded([&]() -> Scalar {
    const mup::IValue& result = parsed.parser.Eval();
    switch (result.GetType()) {
      case 'b':
        return result.GetBool();
      case 's':
        return std::string(result.GetString());
      default:
        return result.GetFloat();
    }
  });
}

bool Expression::holds(const Values& values) const {
  const Scalar scalar = value(values);
  if (std::holds_alternative<std::monostate>(scalar)) return false;
  if (const bool* truth = std::get_if<bool>(&scalar)) return *truth;
  throw reading::InputError(parsed_->start + '"' + parsed_->text +
                            "\" is no condition; allowed: a comparison, true or false");
}

}  // namespace abacus::study

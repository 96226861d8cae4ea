#include "sw/reading/toml_nesting.hpp"

namespace abacus::reading {
namespace {

class Scanner {
 public:
  Scanner(std::string_view text, std::size_t most) : text_(text), most_(most) {}

  std::optional<TextPosition> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (c == '"' || c == '\'') {
        skip_text(c);
      } else {
        if (!count(c)) return position();
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  // False: deeper than allowed. Dots separate a key's parts until something ends the key; numbers with one
  // dot are counted, too, and harm nothing.
  bool count(char c) {
    if (c == '[' || c == '{') {
      ++brackets_;
      dots_ = 0;
    } else if (c == ']' || c == '}') {
      if (brackets_ > 0) --brackets_;
      dots_ = 0;
    } else if (c == '.') {
      ++dots_;
    } else if (c == '\n' || c == '=' || c == ',') {
      dots_ = 0;
    }
    return brackets_ <= most_ && dots_ < most_;
  }

  // On one line, or between three quotes each.
  void skip_text(char quote) {
    const std::string_view three = quote == '"' ? "\"\"\"" : "'''";
    const bool lines = text_.substr(at_, 3) == three;
    at_ += lines ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        at_ += 2;
        continue;
      }
      if (lines ? text_.substr(at_, 3) == three : text_[at_] == quote) {
        at_ += lines ? 3 : 1;
        return;
      }
      if (!lines && text_[at_] == '\n') return;
      ++at_;
    }
  }

  TextPosition position() const {
    TextPosition place;
    for (const char c : text_.substr(0, at_)) {
      if (c == '\n') {
        ++place.line;
        place.column = 1;
      } else {
        ++place.column;
      }
    }
    return place;
  }

  std::string_view text_;
  std::size_t most_;
  std::size_t at_ = 0;
  std::size_t brackets_ = 0;
  std::size_t dots_ = 0;
};

}  // namespace

std::optional<TextPosition> too_deep(std::string_view toml, std::size_t most) {
  return Scanner(toml, most).run();
}

}  // namespace abacus::reading

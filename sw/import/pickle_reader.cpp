#include "sw/import/pickle_reader.hpp"

#include <cstdio>
#include <map>
#include <utility>

namespace abacus::imports {
namespace {

using Value = PickleValue*;
using Kind = PickleValue::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::none:
      return "None";
    case Kind::boolean:
      return "a truth value";
    case Kind::integer:
      return "an integer";
    case Kind::text:
      return "a text";
    case Kind::sequence:
      return "a tuple or list";
    case Kind::dictionary:
      return "a dictionary";
    case Kind::global:
      return "a class or function";
    case Kind::storage:
      return "a storage";
    case Kind::tensor:
      return "a tensor";
  }
  return "an unknown value";
}

}  // namespace

// The pickle machine: a stack, marks in it, and a memo.
class PickleMachine {
 public:
  PickleMachine(const std::vector<std::uint8_t>& bytes, std::size_t position)
      : bytes_(bytes), position_(position) {}

  std::size_t position() const { return position_; }

  Pickle run() {
    while (true) {
      const std::size_t at = position_;
      const std::uint8_t code = byte();
      if (code == '.') {
        pickle_.root_ = pop();
        return std::move(pickle_);
      }
      execute(code, at);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw PickleError(position_, what); }

  std::uint8_t byte() {
    if (position_ >= bytes_.size()) fail("found the end of the file, expected more of the pickle");
    return bytes_[position_++];
  }

  std::uint64_t little_endian(int count) {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i) value |= std::uint64_t{byte()} << (8 * i);
    return value;
  }

  std::string line() {
    std::string text;
    for (std::uint8_t c = byte(); c != '\n'; c = byte()) {
      check_length(text.size() + 1);
      text += static_cast<char>(c);
    }
    return text;
  }

  std::string characters(std::size_t count) {
    if (count > bytes_.size() - position_) {
      fail("found a text of " + std::to_string(count) + " bytes, expected at most the " +
           std::to_string(bytes_.size() - position_) + " left in the file");
    }
    check_length(count);
    std::string text(bytes_.begin() + static_cast<std::ptrdiff_t>(position_),
                     bytes_.begin() + static_cast<std::ptrdiff_t>(position_ + count));
    position_ += count;
    return text;
  }

  void check_length(std::size_t length) const {
    if (length > longest_pickle_text) {
      fail("found a text of more than " + std::to_string(longest_pickle_text) +
           " bytes, which no name of a tensor needs");
    }
  }

  void push(Kind kind, std::int64_t integer = 0, std::string text = "") {
    if (pickle_.values_.size() == most_pickle_values) {
      fail("found more than " + std::to_string(most_pickle_values) +
           " values, which no dictionary of tensors needs");
    }
    PickleValue& value = pickle_.values_.emplace_back();
    value.kind = kind;
    value.integer = integer;
    value.text = std::move(text);
    stack_.push_back(&value);
  }

  Value pop() {
    const std::size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() <= floor) fail("found an instruction that needs a value, but there is none");
    Value value = stack_.back();
    stack_.pop_back();
    return value;
  }

  Value top() const {
    if (stack_.empty()) fail("found an instruction that needs a value, but there is none");
    return stack_.back();
  }

  std::vector<Value> pop_to_mark() {
    if (marks_.empty()) fail("found an instruction that needs a mark, but there is none");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value> values(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return values;
  }

  void tuple(std::vector<Value> items) {
    push(Kind::sequence);
    stack_.back()->items.assign(items.begin(), items.end());
  }

  void tuple_of(int count) {
    std::vector<Value> items(static_cast<std::size_t>(count));
    for (int i = count; i-- > 0;) items[static_cast<std::size_t>(i)] = pop();
    tuple(std::move(items));
  }

  template <typename Pointer>
  Pointer expect(Pointer value, Kind kind, const std::string& place) const {
    if (value->kind != kind) {
      fail(place + ": found " + name_of(value->kind) + ", expected " + name_of(kind));
    }
    return value;
  }

  void recall(std::uint64_t index) {
    const auto at = memo_.find(index);
    if (at == memo_.end())
      fail("found a reference to value " + std::to_string(index) + ", which has not been stored");
    stack_.push_back(at->second);
  }

  void set_items(const std::vector<Value>& items) {
    const Value target = expect(top(), Kind::dictionary, "target of new entries");
    if (items.size() % 2 != 0) fail("found a key without a value");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      target->entries.emplace_back(expect(items[i], Kind::text, "key"), items[i + 1]);
    }
  }

  void append(const std::vector<Value>& items) {
    const Value target = expect(top(), Kind::sequence, "target of new elements");
    target->items.insert(target->items.end(), items.begin(), items.end());
  }

  // ("storage", type, key, device, element count, view)
  void persistent_storage() {
    const Value id = pop();
    expect(id, Kind::sequence, "persistent id");
    if (id->items.size() < 5 || id->items[0]->kind != Kind::text ||
        id->items[0]->text != "storage") {
      fail("persistent id: found another kind than \"storage\"");
    }
    const std::string type = expect(id->items[1], Kind::global, "storage type")->text;
    const PickleValue* const key = expect(id->items[2], Kind::text, "storage key");
    const PickleValue* const count = expect(id->items[4], Kind::integer, "storage size");
    for (const std::string& name : {type, key->text}) {
      if (name.size() <= longest_storage_name) continue;
      fail("storage: found a key of " + std::to_string(name.size()) + " bytes, allowed: at most " +
           std::to_string(longest_storage_name));
    }
    if (id->items.size() > 5 && id->items[5]->kind != Kind::none) {
      fail("storage: found a view into another one, expected none");
    }
    push(Kind::storage, count->integer, key->text);
    stack_.back()->type = type.rfind("torch ", 0) == 0 ? type.substr(6) : type;
  }

  std::vector<std::int64_t> integers(const PickleValue* value, const std::string& place) const {
    const auto& items = expect(value, Kind::sequence, place)->items;
    if (items.size() > most_tensor_dimensions) {
      fail(place + ": found " + std::to_string(items.size()) + " dimensions, allowed: at most " +
           std::to_string(most_tensor_dimensions));
    }
    std::vector<std::int64_t> result;
    for (const PickleValue* const item : items) {
      result.push_back(expect(item, Kind::integer, place)->integer);
    }
    return result;
  }

  void reduce() {
    const Value arguments = expect(pop(), Kind::sequence, "arguments");
    const Value callable = expect(pop(), Kind::global, "callable");
    if (callable->text == "collections OrderedDict") {
      push(Kind::dictionary);
    } else if (callable->text == "torch._utils _rebuild_tensor_v2") {
      const auto& items = arguments->items;
      if (items.size() < 4) fail("tensor: found too few arguments");
      const PickleValue* const storage = expect(items[0], Kind::storage, "tensor's storage");
      push(Kind::tensor, expect(items[1], Kind::integer, "tensor's offset")->integer,
           storage->text);
      stack_.back()->type = storage->type;
      stack_.back()->shape = integers(items[2], "tensor's shape");
      stack_.back()->strides = integers(items[3], "tensor's strides");
    } else {
      fail("found a call of \"" + callable->text +
           "\", allowed: collections OrderedDict, torch._utils _rebuild_tensor_v2");
    }
  }

  void execute(std::uint8_t code, std::size_t at) {
    switch (code) {
      case 0x80: {  // PROTO
        const int version = byte();
        if (version != 2) {
          fail("found pickle protocol " + std::to_string(version) + ", allowed: 2");
        }
        return;
      }
      case 0x8a: {  // LONG1: only small ones matter; the magic number is compared as bytes
        const int count = byte();
        if (count > 8) {
          push(Kind::text, 0, characters(static_cast<std::size_t>(count)));
        } else {
          push(Kind::integer, static_cast<std::int64_t>(little_endian(count)));
        }
        return;
      }
      case 'J':
        return push(Kind::integer, static_cast<std::int32_t>(little_endian(4)));
      case 'K':
        return push(Kind::integer, static_cast<std::int64_t>(little_endian(1)));
      case 'M':
        return push(Kind::integer, static_cast<std::int64_t>(little_endian(2)));
      case 0x88:
        return push(Kind::boolean, 1);
      case 0x89:
        return push(Kind::boolean, 0);
      case 'N':
        return push(Kind::none);
      case 'X':
        return push(Kind::text, 0, characters(static_cast<std::size_t>(little_endian(4))));
      case 'c': {
        const std::string module = line();
        return push(Kind::global, 0, module + " " + line());
      }
      case '}':
        return push(Kind::dictionary);
      case ']':
      case ')':
        return push(Kind::sequence);
      case '(':
        marks_.push_back(stack_.size());
        return;
      case 't':
        return tuple(pop_to_mark());
      case 0x85:
        return tuple_of(1);
      case 0x86:
        return tuple_of(2);
      case 0x87:
        return tuple_of(3);
      case 'q':
        memo_[little_endian(1)] = top();
        return;
      case 'r':
        memo_[little_endian(4)] = top();
        return;
      case 'h':
        return recall(little_endian(1));
      case 'j':
        return recall(little_endian(4));
      case 's': {
        const Value value = pop();
        const Value key = pop();
        return set_items({key, value});
      }
      case 'u':
        return set_items(pop_to_mark());
      case 'a':
        return append({pop()});
      case 'e':
        return append(pop_to_mark());
      case 'Q':
        return persistent_storage();
      case 'R':
        return reduce();
      case 'b':  // BUILD: attributes of the dictionary, which say nothing about the tensors
        pop();
        return;
      default: {
        char text[8];
        std::snprintf(text, sizeof text, "0x%02x", code);
        throw PickleError(at, std::string("found pickle instruction ") + text +
                                  ", which no dictionary of tensors needs");
      }
    }
  }

  const std::vector<std::uint8_t>& bytes_;
  std::size_t position_;
  Pickle pickle_;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::map<std::uint64_t, Value> memo_;
};

Pickle read_pickle(const std::vector<std::uint8_t>& bytes, std::size_t& position) {
  PickleMachine machine(bytes, position);
  Pickle pickle = machine.run();
  position = machine.position();
  return pickle;
}

}  // namespace abacus::imports

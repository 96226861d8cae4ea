// Reads the part of Python's pickle format (protocol 2) that torch.save writes for a dictionary of
// tensors. Nothing is executed: the only callables understood are OrderedDict and
// torch._utils._rebuild_tensor_v2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace abacus::imports {

// A pickle's values may hold one another, even in circles, to any depth: they refer to each other, and
// their Pickle owns them all.
struct PickleValue {
  enum class Kind { none, boolean, integer, text, sequence, dictionary, global, storage, tensor };

  Kind kind = Kind::none;
  std::int64_t integer = 0;  // boolean, integer; the tensor's offset in its storage, in elements
  std::string text;  // text; "module name" of a global; key of a storage or of a tensor's one
  std::string type;  // of a storage: "FloatStorage", …; also of a tensor's one
  std::vector<const PickleValue*> items;                                   // tuple, list
  std::vector<std::pair<const PickleValue*, const PickleValue*>> entries;  // dictionary
  std::vector<std::int64_t> shape, strides;  // tensor; strides in elements
};

class Pickle {
 public:
  const PickleValue& root() const { return *root_; }

 private:
  friend class PickleMachine;
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
};

// More are refused, longer texts and tensors of more dimensions, too: names of storages and shapes are
// copied, and a pickle may name one of them any number of times.
inline constexpr std::size_t most_pickle_values = 100'000;
inline constexpr std::size_t longest_pickle_text = 1024;
inline constexpr std::size_t longest_storage_name = 64;  // its key, and its type
inline constexpr std::size_t most_tensor_dimensions = 8;

// Thrown with the offset at which the pickle cannot be understood.
class PickleError : public std::runtime_error {
 public:
  PickleError(std::size_t offset, const std::string& what)
      : std::runtime_error("offset " + std::to_string(offset) + ": " + what) {}
};

// Reads the pickle that starts at `position` of `bytes` and moves `position` behind it.
Pickle read_pickle(const std::vector<std::uint8_t>& bytes, std::size_t& position);

}  // namespace abacus::imports

// Reads the part of Python's pickle format (protocol 2) that torch.save writes for a dictionary of
// tensors. Nothing is executed: the only callables understood are OrderedDict and
// torch._utils._rebuild_tensor_v2.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace abacus::imports {

struct PickleValue {
  enum class Kind { none, boolean, integer, text, sequence, dictionary, global, storage, tensor };

  Kind kind = Kind::none;
  std::int64_t integer = 0;  // boolean, integer; the tensor's offset in its storage, in elements
  std::string text;  // text; "module name" of a global; key of a storage or of a tensor's one
  std::string type;  // of a storage: "FloatStorage", …; also of a tensor's one
  std::vector<std::shared_ptr<PickleValue>> items;                            // tuple, list
  std::vector<std::pair<std::string, std::shared_ptr<PickleValue>>> entries;  // dictionary
  std::vector<std::int64_t> shape, strides;  // tensor; strides in elements
};

// Thrown with the offset at which the pickle cannot be understood.
class PickleError : public std::runtime_error {
 public:
  PickleError(std::size_t offset, const std::string& what)
      : std::runtime_error("offset " + std::to_string(offset) + ": " + what) {}
};

// Reads the pickle that starts at `position` of `bytes` and moves `position` behind it.
std::shared_ptr<PickleValue> read_pickle(const std::vector<std::uint8_t>& bytes,
                                         std::size_t& position);

}  // namespace abacus::imports

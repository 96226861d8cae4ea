#include "sw/import/import.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "sw/import/pickle_reader.hpp"
#include "sw/reading/file_bytes.hpp"

namespace abacus::imports {
namespace {

// The pickled magic number that starts every file of the legacy format.
constexpr std::array<std::uint8_t, 15> kLegacyMagic = {
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
constexpr std::int64_t kLegacyProtocol = 1001;
constexpr char kManifestEnding[] = ".manifest.txt";

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw std::runtime_error(file.string() + ": " + what);
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& file) {
  constexpr std::uintmax_t most = std::uintmax_t{1} << 32;  // 100 times the zoo's largest network
  const std::string bytes = reading::file_bytes(file, most);
  return {bytes.begin(), bytes.end()};
}

// What torch.save writes since version 1.6.
bool is_zip(const std::vector<std::uint8_t>& bytes) {
  return bytes.size() >= 4 && bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == 3 && bytes[3] == 4;
}

bool is_legacy_torch(const std::vector<std::uint8_t>& bytes) {
  return bytes.size() >= kLegacyMagic.size() &&
         std::equal(kLegacyMagic.begin(), kLegacyMagic.end(), bytes.begin());
}

// Number of elements, or −1 when a size is negative or the product of the sizes too large to be true, be
// there none left or not.
std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > std::numeric_limits<std::int32_t>::max() / size))
      return -1;
    if (size == 0) empty = true;
    if (size > 0) count *= size;
  }
  return empty ? 0 : count;
}

// Of a shape that has an element count.
bool is_dense(const PickleValue& tensor) {
  if (tensor.shape.size() != tensor.strides.size()) return false;
  std::int64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= std::max<std::int64_t>(tensor.shape[i], 1);
  }
  return true;
}

std::string list_text(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) {
    text += (text.empty() ? "[" : ", ") + std::to_string(value);
  }
  return text.empty() ? "[]" : text + "]";
}

// What is read, and how to come by it.
std::string torch_remedy() {
  return "; what is read is torch's legacy format, one dictionary of names and dense float32 "
         "tensors: in "
         "Python, torch.save({name: t.float().contiguous() for name, t in state_dict.items()}, "
         "\"new.pth\", _use_new_zipfile_serialization=False), where state_dict is the model's, "
         "model.state_dict(), or stands in a training's file, file[\"state_dict\"]";
}

[[noreturn]] void fail_torch(const std::filesystem::path& file, const std::string& what) {
  fail(file, what + torch_remedy());
}

void refuse_zip(const std::filesystem::path& file, const std::vector<std::uint8_t>& bytes) {
  if (is_zip(bytes)) {
    fail_torch(file, "offset 0: found a zip archive, as torch.save writes since version 1.6");
  }
}

struct Extent {
  std::size_t offset = 0;  // bytes
  std::int64_t elements = 0;
};

std::size_t storage_element_bytes(const std::string& type) {
  if (type == "FloatStorage" || type == "IntStorage") return 4;
  if (type == "LongStorage" || type == "DoubleStorage") return 8;
  if (type == "HalfStorage" || type == "ShortStorage") return 2;
  if (type == "ByteStorage" || type == "CharStorage" || type == "BoolStorage") return 1;
  return 0;
}

std::string place_of(const PickleValue& name) { return "tensor \"" + name.text + "\": "; }

// What the dictionary names: tensors of a type that is read or left out, and each storage of one type.
// Returns the storages' types.
std::map<std::string, std::string> check_entries(const std::filesystem::path& file,
                                                 const PickleValue& content) {
  std::map<std::string, std::string> types;
  for (const auto& [name, value] : content.entries) {
    if (value->kind == PickleValue::Kind::dictionary) {
      fail_torch(file, "\"" + name->text +
                           "\": found a dictionary inside the dictionary, as in a "
                           "training's file, where a tensor is expected");
    }
    if (value->kind != PickleValue::Kind::tensor) {
      fail_torch(file, "\"" + name->text + "\": found no tensor");
    }
    if (value->type != "LongStorage" && value->type != "FloatStorage") {
      fail_torch(file, place_of(*name) + "found elements of " + value->type +
                           ", allowed: FloatStorage (float32)");
    }
    const auto known = types.emplace(value->text, value->type);
    if (known.first->second != value->type) {
      fail(file, place_of(*name) + "found storage " + value->text + " as " + value->type +
                     ", which another tensor names as " + known.first->second);
    }
  }
  return types;
}

// The raw storages behind the pickles: for each key its number of elements (int64), then these.
std::map<std::string, Extent> locate_storages(const std::filesystem::path& file,
                                              const std::vector<std::uint8_t>& bytes,
                                              std::size_t position, const PickleValue& keys,
                                              const std::map<std::string, std::string>& types) {
  std::map<std::string, Extent> extents;
  for (const PickleValue* const key : keys.items) {
    const auto type = types.find(key->text);
    const std::size_t size = type == types.end() ? 0 : storage_element_bytes(type->second);
    if (size == 0) {
      fail_torch(file, "storage " + key->text + " belongs to no tensor of the dictionary");
    }
    if (bytes.size() - position < 8) {
      fail(file, "offset " + std::to_string(position) +
                     ": found the end of the file, expected the size of storage " + key->text);
    }
    Extent extent;
    std::memcpy(&extent.elements, bytes.data() + position, 8);
    extent.offset = position + 8;
    const std::uint64_t left = bytes.size() - extent.offset;
    if (extent.elements < 0 || static_cast<std::uint64_t>(extent.elements) > left / size) {
      fail(file, "offset " + std::to_string(position) + ": storage " + key->text + ": found " +
                     std::to_string(extent.elements) + " elements of " + std::to_string(size) +
                     " bytes, expected at most the " + std::to_string(left) +
                     " bytes left in the file");
    }
    position = extent.offset + static_cast<std::size_t>(extent.elements) * size;
    if (!extents.emplace(key->text, extent).second) {
      fail(file, "storage " + key->text + ": found twice in the list of storages");
    }
  }
  if (position != bytes.size()) {
    fail(file, "found " + std::to_string(bytes.size() - position) +
                   " bytes behind the last storage, expected none");
  }
  return extents;
}

network::Tensor float_tensor(const std::uint8_t* from, std::int64_t elements,
                             std::vector<std::int64_t> shape) {
  network::Tensor tensor;
  tensor.type = network::ElementType::f32;
  tensor.shape = std::move(shape);
  tensor.bytes.assign(from, from + elements * 4);
  return tensor;
}

// Where the tensor's elements begin among the file's bytes.
std::size_t locate_tensor(const std::filesystem::path& file, const PickleValue& name,
                          const PickleValue& tensor, const std::map<std::string, Extent>& extents) {
  const std::string place = place_of(name);
  const std::int64_t count = element_count(tensor.shape);
  if (count > 0 && tensor.shape.size() == tensor.strides.size() && !is_dense(tensor)) {
    fail_torch(file, place + "found shape " + list_text(tensor.shape) + " with strides " +
                         list_text(tensor.strides) +
                         ", expected its values without gaps, the last dimension's next to each "
                         "other (not channels_last, not transposed)");
  }
  const auto extent = extents.find(tensor.text);
  if (extent == extents.end() || count < 0 || !is_dense(tensor) || tensor.integer < 0 ||
      tensor.integer > extent->second.elements ||
      count > extent->second.elements - tensor.integer) {
    fail(file, place + "its shape " + list_text(tensor.shape) +
                   " does not lie, dense, within its storage");
  }
  return extent->second.offset + static_cast<std::size_t>(tensor.integer) * 4;
}

// The dictionary of tensors and the list of its storages; `position` goes to the storages' bytes.
std::pair<Pickle, Pickle> read_pickles(const std::filesystem::path& file,
                                       const std::vector<std::uint8_t>& bytes,
                                       std::size_t& position) {
  try {
    const Pickle protocol = read_pickle(bytes, position);
    if (protocol.root().integer != kLegacyProtocol) {
      fail(file, "found format version " + std::to_string(protocol.root().integer) +
                     ", allowed: " + std::to_string(kLegacyProtocol));
    }
    read_pickle(bytes, position);  // sizes of the writer's C types
    Pickle content = read_pickle(bytes, position);
    if (content.root().kind != PickleValue::Kind::dictionary) {
      fail_torch(file, "found another object than a dictionary of tensors");
    }
    Pickle keys = read_pickle(bytes, position);
    if (keys.root().kind != PickleValue::Kind::sequence) {
      fail(file, "expected a list of the dictionary's storages");
    }
    return {std::move(content), std::move(keys)};
  } catch (const PickleError& error) {
    fail_torch(file, error.what());
  }
}

std::map<std::string, network::Tensor> parse_legacy_torch(const std::filesystem::path& file,
                                                          const std::vector<std::uint8_t>& bytes) {
  std::size_t position = kLegacyMagic.size();
  const auto [content, keys] = read_pickles(file, bytes, position);
  const auto types = check_entries(file, content.root());
  const auto extents = locate_storages(file, bytes, position, keys.root(), types);
  std::map<std::string, network::Tensor> tensors;
  // Tensors that share a storage could be many times larger than the file.
  std::size_t room = bytes.size();
  for (const auto& [name, value] : content.root().entries) {
    if (value->type == "LongStorage") continue;
    const std::size_t from = locate_tensor(file, *name, *value, extents);
    const std::int64_t count = element_count(value->shape);
    const std::size_t size = static_cast<std::size_t>(count) * 4;
    if (size > room) {
      fail(file, place_of(*name) +
                     "found, with the tensors before it, more values than the file "
                     "has, expected tensors that share none");
    }
    room -= size;
    if (!tensors.emplace(name->text, float_tensor(bytes.data() + from, count, value->shape))
             .second) {
      fail(file, place_of(*name) + "found twice");
    }
  }
  return tensors;
}

std::vector<std::int64_t> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  if (text.empty() || text.back() == 'x') return {};
  std::istringstream in(text);
  std::string item;
  while (std::getline(in, item, 'x')) {
    if (item.empty() || item.size() > 9 ||
        item.find_first_not_of("0123456789") != std::string::npos) {
      return {};
    }
    shape.push_back(std::stoll(item));
  }
  return shape;
}

}  // namespace

std::map<std::string, network::Tensor> read_legacy_torch(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  refuse_zip(file, bytes);
  if (!is_legacy_torch(bytes)) {
    fail_torch(file,
               "offset 0: found no magic number of torch's legacy format (before version 1.6)");
  }
  return parse_legacy_torch(file, bytes);
}

std::map<std::string, network::Tensor> read_float_manifest(const std::filesystem::path& manifest) {
  const std::string name = manifest.string();
  const std::string ending = kManifestEnding;
  if (name.size() <= ending.size() ||
      name.compare(name.size() - ending.size(), ending.size(), ending) != 0) {
    fail(manifest,
         "found another kind of file, allowed: torch's legacy .pth, or NAME.manifest.txt "
         "with NAME.f32 beside it");
  }
  const std::filesystem::path values = name.substr(0, name.size() - ending.size()) + ".f32";
  const std::vector<std::uint8_t> bytes = read_bytes(values);
  const std::vector<std::uint8_t> lines = read_bytes(manifest);
  std::istringstream in(std::string(lines.begin(), lines.end()));
  std::map<std::string, network::Tensor> tensors;
  std::uint64_t expected_offset = 0;
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (line.empty()) continue;
    const std::string place = "line " + std::to_string(number) + ": ";
    std::istringstream fields(line);
    std::string tensor, shape_text, rest;
    std::uint64_t offset = 0;
    if (!(fields >> tensor >> offset >> shape_text) || fields >> rest) {
      fail(manifest, place + "found \"" + line + "\", expected: name offset shape");
    }
    const std::vector<std::int64_t> shape = parse_shape(shape_text);
    const std::int64_t count = element_count(shape);
    if (shape.empty() || count <= 0) {
      fail(manifest, place + "tensor \"" + tensor + "\": found shape \"" + shape_text +
                         "\", expected positive sizes joined by x");
    }
    if (offset != expected_offset) {
      fail(manifest, place + "tensor \"" + tensor + "\": found offset " + std::to_string(offset) +
                         ", expected " + std::to_string(expected_offset));
    }
    expected_offset += static_cast<std::uint64_t>(count);
    if (expected_offset > bytes.size() / 4) {
      fail(values, "tensor \"" + tensor + "\": found " + std::to_string(bytes.size()) +
                       " bytes, expected at least " + std::to_string(expected_offset * 4));
    }
    if (!tensors.emplace(tensor, float_tensor(bytes.data() + offset * 4, count, shape)).second) {
      fail(manifest, place + "tensor \"" + tensor + "\": found twice");
    }
  }
  if (expected_offset * 4 != bytes.size()) {
    fail(values, "found " + std::to_string(bytes.size()) + " bytes, expected " +
                     std::to_string(expected_offset * 4) + " as the manifest says");
  }
  return tensors;
}

std::map<std::string, network::Tensor> read_foreign_tensors(const std::filesystem::path& file,
                                                            network::Arithmetic arithmetic) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  refuse_zip(file, bytes);
  const std::map<std::string, network::Tensor> foreign =
      is_legacy_torch(bytes) ? parse_legacy_torch(file, bytes) : read_float_manifest(file);
  std::map<std::string, network::Tensor> tensors;
  for (const auto& [foreign_name, tensor] : foreign) {
    std::string name = foreign_name;
    const std::string prefix = "module.", adder = ".adder";
    if (name.rfind(prefix, 0) == 0) name.erase(0, prefix.size());
    if (name.size() > adder.size() &&
        name.compare(name.size() - adder.size(), adder.size(), adder) == 0) {
      if (arithmetic != network::Arithmetic::adder) {
        fail(file, "tensor \"" + foreign_name +
                       "\": found an adder layer's weights by its name; "
                       "arithmetic " +
                       network::to_string(arithmetic) + " has none; allowed: arithmetic adder");
      }
      name.replace(name.size() - adder.size(), adder.size(), ".weight");
    }
    if (!tensors.emplace(name, tensor).second) {
      fail(file, "tensor \"" + foreign_name + "\": found twice under the name \"" + name + "\"");
    }
  }
  return tensors;
}

}  // namespace abacus::imports

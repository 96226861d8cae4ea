#include "sw/import/import.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "sw/import/pickle_reader.hpp"

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
  std::ifstream in(file, std::ios::binary);
  if (!in || std::filesystem::is_directory(file)) fail(file, "cannot read the file");
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

bool is_legacy_torch(const std::vector<std::uint8_t>& bytes) {
  return bytes.size() >= kLegacyMagic.size() &&
         std::equal(kLegacyMagic.begin(), kLegacyMagic.end(), bytes.begin());
}

// Number of elements, or −1 when a size is negative or the product too large to be true.
std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    if (size < 0 || (size > 0 && count > std::numeric_limits<std::int32_t>::max() / size))
      return -1;
    count *= size;
  }
  return count;
}

bool is_dense(const PickleValue& tensor) {
  if (tensor.shape.size() != tensor.strides.size()) return false;
  std::int64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
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

using Entries = std::vector<std::pair<std::string, std::shared_ptr<PickleValue>>>;

// The raw storages behind the pickles: for each key its number of elements (int64), then these.
std::map<std::string, Extent> locate_storages(const std::filesystem::path& file,
                                              const std::vector<std::uint8_t>& bytes,
                                              std::size_t position, const PickleValue& keys,
                                              const Entries& entries) {
  std::map<std::string, std::string> types;
  for (const auto& [name, value] : entries) {
    if (value->kind == PickleValue::Kind::tensor) types[value->text] = value->type;
  }
  std::map<std::string, Extent> extents;
  for (const auto& key : keys.items) {
    const auto type = types.find(key->text);
    const std::size_t size = type == types.end() ? 0 : storage_element_bytes(type->second);
    if (size == 0) {
      fail(file, "storage " + key->text + " belongs to no tensor of a known type");
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
    extents[key->text] = extent;
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

std::map<std::string, network::Tensor> parse_legacy_torch(const std::filesystem::path& file,
                                                          const std::vector<std::uint8_t>& bytes) {
  std::size_t position = kLegacyMagic.size();
  std::shared_ptr<PickleValue> protocol, content, keys;
  try {
    protocol = read_pickle(bytes, position);
    read_pickle(bytes, position);  // sizes of the writer's C types
    content = read_pickle(bytes, position);
    keys = read_pickle(bytes, position);
  } catch (const PickleError& error) {
    fail(file, error.what());
  }
  if (protocol->integer != kLegacyProtocol) {
    fail(file, "found format version " + std::to_string(protocol->integer) +
                   ", allowed: " + std::to_string(kLegacyProtocol));
  }
  if (content->kind != PickleValue::Kind::dictionary || keys->kind != PickleValue::Kind::sequence) {
    fail(file, "expected a dictionary of tensors and a list of its storages");
  }
  const auto extents = locate_storages(file, bytes, position, *keys, content->entries);
  std::map<std::string, network::Tensor> tensors;
  for (const auto& [name, value] : content->entries) {
    const std::string place = "tensor \"" + name + "\": ";
    if (value->kind != PickleValue::Kind::tensor) fail(file, place + "found no tensor");
    if (value->type == "LongStorage") continue;
    if (value->type != "FloatStorage") {
      fail(file, place + "found elements of " + value->type + ", allowed: FloatStorage");
    }
    const auto extent = extents.find(value->text);
    const std::int64_t count = element_count(value->shape);
    if (extent == extents.end() || count < 0 || !is_dense(*value) || value->integer < 0 ||
        value->integer > extent->second.elements ||
        count > extent->second.elements - value->integer) {
      fail(file, place + "its shape does not lie, dense, within its storage");
    }
    const std::uint8_t* from =
        bytes.data() + extent->second.offset + static_cast<std::size_t>(value->integer) * 4;
    if (!tensors.emplace(name, float_tensor(from, count, value->shape)).second) {
      fail(file, place + "found twice");
    }
  }
  return tensors;
}

std::vector<std::int64_t> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  if (text.back() == 'x') return {};
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
  if (!is_legacy_torch(bytes)) {
    fail(file, "offset 0: found no magic number of torch's legacy format (before version 1.6)");
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
  std::ifstream in(manifest);
  if (!in) fail(manifest, "cannot read the file");
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

std::map<std::string, network::Tensor> read_foreign_tensors(const std::filesystem::path& file) {
  const std::vector<std::uint8_t> bytes = read_bytes(file);
  const std::map<std::string, network::Tensor> foreign =
      is_legacy_torch(bytes) ? parse_legacy_torch(file, bytes) : read_float_manifest(file);
  std::map<std::string, network::Tensor> tensors;
  for (const auto& [foreign_name, tensor] : foreign) {
    std::string name = foreign_name;
    const std::string prefix = "module.", adder = ".adder";
    if (name.rfind(prefix, 0) == 0) name.erase(0, prefix.size());
    if (name.size() > adder.size() &&
        name.compare(name.size() - adder.size(), adder.size(), adder) == 0) {
      name.replace(name.size() - adder.size(), adder.size(), ".weight");
    }
    if (!tensors.emplace(name, tensor).second) {
      fail(file, "tensor \"" + foreign_name + "\": found twice under the name \"" + name + "\"");
    }
  }
  return tensors;
}

}  // namespace abacus::imports

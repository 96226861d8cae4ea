#include "sw/network/safetensors.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "sw/reading/json_text.hpp"
#include "sw/reading/section.hpp"
#include "sw/support/output_file.hpp"

namespace abacus::network {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "tensors are copied between file and memory as they are");

// Longest header that the format's own library accepts.
constexpr std::uint64_t max_header_bytes = 100'000'000;
constexpr char metadata_key[] = "__metadata__";

struct NamedType {
  ElementType type;
  const char* name;
  std::size_t bytes;
};

constexpr std::array<NamedType, 6> element_types = {{{ElementType::f32, "F32", 4},
                                                     {ElementType::i8, "I8", 1},
                                                     {ElementType::u8, "U8", 1},
                                                     {ElementType::i16, "I16", 2},
                                                     {ElementType::i32, "I32", 4},
                                                     {ElementType::i64, "I64", 8}}};

const NamedType& description(ElementType type) {
  for (const NamedType& t : element_types) {
    if (t.type == type) return t;
  }
  throw std::logic_error("element type number " + std::to_string(static_cast<int>(type)) +
                         " is unknown");
}

[[noreturn]] void fail(const std::filesystem::path& file, const std::string& what) {
  throw std::runtime_error(file.string() + ": " + what);
}

// Bytes that `shape` needs; −1 if it has a negative dimension or more bytes than can be counted.
std::int64_t shape_bytes(const std::vector<std::int64_t>& shape, std::size_t element_size) {
  std::int64_t bytes = static_cast<std::int64_t>(element_size);
  for (const std::int64_t dimension : shape) {
    if (dimension < 0 || __builtin_mul_overflow(bytes, dimension, &bytes)) return -1;
  }
  return bytes;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ",") + std::to_string(shape[i]);
  }
  return text + "]";
}

struct Entry {
  std::string name;
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Entry read_entry(const std::filesystem::path& file, const std::string& name,
                 reading::Section fields) {
  Entry entry;
  entry.name = name;
  std::vector<std::string> type_names;
  for (const NamedType& t : element_types) type_names.emplace_back(t.name);
  const std::string type = fields.value("dtype").choice(type_names);
  for (const NamedType& t : element_types) {
    if (type == t.name) entry.type = t.type;
  }
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  entry.shape = fields.value("shape").integers(0, most);
  const reading::Value offsets_value = fields.value("data_offsets");
  const std::vector<std::int64_t> offsets = offsets_value.integers(2, 0, most);
  if (offsets[0] > offsets[1]) {
    offsets_value.refuse("found " + shape_text(offsets) + "; allowed: [begin, end], begin <= end");
  }
  entry.begin = static_cast<std::uint64_t>(offsets[0]);
  entry.end = static_cast<std::uint64_t>(offsets[1]);
  fields.refuse_unknown_keys();

  const std::int64_t needed = shape_bytes(entry.shape, element_bytes(entry.type));
  if (needed < 0 || static_cast<std::uint64_t>(needed) != entry.end - entry.begin) {
    fail(file, "tensor \"" + name + "\": data_offsets " + shape_text(offsets) + " span " +
                   std::to_string(entry.end - entry.begin) + " bytes; shape " +
                   shape_text(entry.shape) + " of " + to_string(entry.type) + " needs " +
                   (needed < 0 ? "more than can be counted" : std::to_string(needed)));
  }
  return entry;
}

std::map<std::string, std::string> read_metadata(reading::Section fields) {
  std::map<std::string, std::string> metadata;
  for (const std::string& key : fields.keys()) metadata[key] = fields.value(key).any_text();
  return metadata;
}

// Sorted by offset, the tensors must follow one another from 0 to the end of the file.
void check_layout(const std::filesystem::path& file, std::vector<Entry>& entries,
                  std::uint64_t data_start, std::uint64_t data_bytes) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::make_pair(a.begin, a.end) < std::make_pair(b.begin, b.end);
  });
  std::uint64_t expected = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != expected) {
      fail(file, "tensor \"" + entry.name + "\": data begin at " + std::to_string(entry.begin) +
                     (entry.begin < expected ? ", overlapping" : ", leaving a hole after") +
                     " the tensor before it; allowed: " + std::to_string(expected));
    }
    if (entry.end > data_bytes) {
      fail(file, "tensor \"" + entry.name + "\": data end at file offset " +
                     std::to_string(data_start + entry.end) + "; the file ends at " +
                     std::to_string(data_start + data_bytes));
    }
    expected = entry.end;
  }
  if (expected != data_bytes) {
    fail(file, "offset " + std::to_string(data_start + expected) + ": " +
                   std::to_string(data_bytes - expected) +
                   " bytes after the last tensor; allowed: none");
  }
}

}  // namespace

std::size_t element_bytes(ElementType type) { return description(type).bytes; }

std::string to_string(ElementType type) { return description(type).name; }

std::int64_t Tensor::elements() const {
  const std::int64_t count = shape_bytes(shape, 1);
  if (count < 0) throw std::logic_error("shape " + shape_text(shape) + " has no element count");
  return count;
}

template <typename T>
std::vector<T> Tensor::values() const {
  if (type != element_type<T>) {
    throw std::logic_error("tensor of " + to_string(type) + " read as " +
                           to_string(element_type<T>));
  }
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

template <typename T>
Tensor Tensor::from(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  Tensor tensor;
  tensor.type = element_type<T>;
  tensor.shape = std::move(shape);
  if (tensor.elements() != static_cast<std::int64_t>(values.size())) {
    throw std::logic_error(std::to_string(values.size()) + " values do not fill shape " +
                           shape_text(tensor.shape));
  }
  tensor.bytes.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

template std::vector<float> Tensor::values<float>() const;
template std::vector<std::int8_t> Tensor::values<std::int8_t>() const;
template std::vector<std::uint8_t> Tensor::values<std::uint8_t>() const;
template std::vector<std::int16_t> Tensor::values<std::int16_t>() const;
template std::vector<std::int32_t> Tensor::values<std::int32_t>() const;
template std::vector<std::int64_t> Tensor::values<std::int64_t>() const;
template Tensor Tensor::from<float>(const std::vector<float>&, std::vector<std::int64_t>);
template Tensor Tensor::from<std::int8_t>(const std::vector<std::int8_t>&,
                                          std::vector<std::int64_t>);
template Tensor Tensor::from<std::uint8_t>(const std::vector<std::uint8_t>&,
                                           std::vector<std::int64_t>);
template Tensor Tensor::from<std::int16_t>(const std::vector<std::int16_t>&,
                                           std::vector<std::int64_t>);
template Tensor Tensor::from<std::int32_t>(const std::vector<std::int32_t>&,
                                           std::vector<std::int64_t>);
template Tensor Tensor::from<std::int64_t>(const std::vector<std::int64_t>&,
                                           std::vector<std::int64_t>);

TensorFile read_safetensors(const std::filesystem::path& file) {
  // Before it is opened: opening a pipe waits for somebody who writes it.
  if (!std::filesystem::is_regular_file(file)) fail(file, "cannot open the file");
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) fail(file, "cannot open the file");
  const std::uint64_t file_bytes = static_cast<std::uint64_t>(in.tellg());
  in.seekg(0);
  if (file_bytes < 8) {
    fail(file, "offset 0: file has " + std::to_string(file_bytes) +
                   " bytes; the header length alone needs 8");
  }
  std::uint64_t header_bytes = 0;
  in.read(reinterpret_cast<char*>(&header_bytes), sizeof header_bytes);
  const std::uint64_t allowed = std::min(max_header_bytes, file_bytes - 8);
  if (header_bytes > allowed) {
    fail(file, "offset 0: header length is " + std::to_string(header_bytes) +
                   " bytes; allowed: at most " + std::to_string(allowed) +
                   " (truncated, or no safetensors file)");
  }
  std::string header(header_bytes, '\0');
  in.read(header.data(), static_cast<std::streamsize>(header_bytes));
  if (!in) fail(file, "offset 8: read error in the header");
  if (header.empty() || header.front() != '{') {
    fail(file, "offset 8: header does not start with '{'");
  }
  const reading::Node json = reading::parse_json(header, file.string() + ": header");
  reading::Section fields("", {&json});

  TensorFile content;
  std::vector<Entry> entries;
  for (const std::string& name : fields.keys()) {
    if (name == metadata_key) {
      content.metadata = read_metadata(fields.section(name));
    } else {
      entries.push_back(read_entry(file, name, fields.section(name)));
    }
  }
  const std::uint64_t data_start = 8 + header_bytes;
  check_layout(file, entries, data_start, file_bytes - data_start);
  for (Entry& entry : entries) {
    Tensor tensor;
    tensor.type = entry.type;
    tensor.shape = std::move(entry.shape);
    tensor.bytes.resize(entry.end - entry.begin);
    in.read(reinterpret_cast<char*>(tensor.bytes.data()),
            static_cast<std::streamsize>(tensor.bytes.size()));
    if (!in) {
      fail(file, "tensor \"" + entry.name + "\": read error at offset " +
                     std::to_string(data_start + entry.begin));
    }
    content.tensors[entry.name] = std::move(tensor);
  }
  return content;
}

void write_safetensors(const std::filesystem::path& file, const TensorFile& content) {
  std::vector<const std::pair<const std::string, Tensor>*> order;
  for (const auto& named : content.tensors) {
    const auto& [name, tensor] = named;
    if (name == metadata_key) {
      throw std::invalid_argument(file.string() + ": a tensor may not be called " + metadata_key);
    }
    if (shape_bytes(tensor.shape, element_bytes(tensor.type)) !=
        static_cast<std::int64_t>(tensor.bytes.size())) {
      throw std::invalid_argument(file.string() + ": tensor \"" + name + "\" has " +
                                  std::to_string(tensor.bytes.size()) +
                                  " bytes, which do not fill shape " + shape_text(tensor.shape) +
                                  " of " + to_string(tensor.type));
    }
    order.push_back(&named);
  }
  // Widest elements first, so that every tensor is aligned to its element.
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return element_bytes(a->second.type) > element_bytes(b->second.type);
  });

  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  if (!content.metadata.empty()) json[metadata_key] = content.metadata;
  std::uint64_t offset = 0;
  for (const auto* named : order) {
    const Tensor& tensor = named->second;
    const std::uint64_t end = offset + tensor.bytes.size();
    json[named->first] = {{"dtype", to_string(tensor.type)},
                          {"shape", tensor.shape},
                          {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string header = json.dump();
  header.resize((header.size() + 7) / 8 * 8, ' ');  // spaces: the format's own padding

  support::write_output(file, [&](std::ostream& out) {
    const std::uint64_t header_bytes = header.size();
    out.write(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const auto* named : order) {
      out.write(reinterpret_cast<const char*>(named->second.bytes.data()),
                static_cast<std::streamsize>(named->second.bytes.size()));
    }
  });
}

}  // namespace abacus::network

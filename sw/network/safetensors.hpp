// Reader and writer for safetensors files: an 8-byte little-endian header length, a JSON header
// (name → dtype, shape, data offsets; "__metadata__" → string map), then the tensors' bytes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace abacus::network {

enum class ElementType { f32, i8, u8, i16, i32, i64 };

// The one that holds a T.
template <typename T>
inline constexpr ElementType element_type = ElementType();
template <>
inline constexpr ElementType element_type<float> = ElementType::f32;
template <>
inline constexpr ElementType element_type<std::int8_t> = ElementType::i8;
template <>
inline constexpr ElementType element_type<std::uint8_t> = ElementType::u8;
template <>
inline constexpr ElementType element_type<std::int16_t> = ElementType::i16;
template <>
inline constexpr ElementType element_type<std::int32_t> = ElementType::i32;
template <>
inline constexpr ElementType element_type<std::int64_t> = ElementType::i64;

std::size_t element_bytes(ElementType type);
std::string to_string(ElementType type);

struct Tensor {
  ElementType type = ElementType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::uint8_t> bytes;  // little-endian, row-major

  std::int64_t elements() const;
  // Typed copies. `T` must match `type`, else std::logic_error.
  template <typename T>
  std::vector<T> values() const;
  template <typename T>
  static Tensor from(const std::vector<T>& values, std::vector<std::int64_t> shape);
};

struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::map<std::string, Tensor> tensors;
};

// Throws std::runtime_error naming file, tensor, offset, what was found and what is allowed when
// the file is truncated, its header is no valid JSON, a dtype is unknown, offsets overlap, leave
// holes or pass the end, or a shape does not match its byte count.
TensorFile read_safetensors(const std::filesystem::path& file);

// Through write_output() (sw/support/output_file.hpp): no half-written file is left. The same content always gives the same bytes.
void write_safetensors(const std::filesystem::path& file, const TensorFile& content);

// SHA-256 of a file's bytes as 64 hexadecimal digits; of a string likewise. Used to tell whether a
// cached integer package still belongs to its checkpoint and scheme.
std::string sha256_file(const std::filesystem::path& file);
std::string sha256_text(const std::string& text);

}  // namespace abacus::network

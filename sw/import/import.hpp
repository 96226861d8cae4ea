// Checkpoints that others made.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "sw/network/checkpoint.hpp"
#include "sw/network/safetensors.hpp"

namespace abacus::imports {

// A .pth file as torch.save wrote it before version 1.6: pickles followed by raw storages. Takes
// the float32 tensors of the dictionary in it and leaves out whole-number ones (BatchNorm's
// counters). Throws std::runtime_error naming file, tensor or offset, what was found and what was
// expected, and for what torch writes but this does not read how to save it again. What it holds in
// memory is bounded by the file's size.
std::map<std::string, network::Tensor> read_legacy_torch(const std::filesystem::path& file);

// A text of lines "name offset shape" (offset in floats, shape like 16x3x3x3) and a file of
// little-endian float32 beside it, of the same name with .f32 in place of .manifest.txt. The
// tensors must fill it without holes. Throws as above, naming the manifest's line.
std::map<std::string, network::Tensor> read_float_manifest(const std::filesystem::path& manifest);

// The file of any of the two kinds above (told apart by its content), with the AdderNet authors'
// names turned into ours: "module." dropped in front, ".adder" turned into ".weight". Such a name says
// that its layer adds: refused for a network of another arithmetic.
std::map<std::string, network::Tensor> read_foreign_tensors(const std::filesystem::path& file,
                                                            network::Arithmetic arithmetic);

}  // namespace abacus::imports

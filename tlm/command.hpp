// The commands that the sequencer hands to the units: 128 bytes each, little-endian, plain data; in
// DRAM, where the scheduler writes them, they stand more compactly (tlm/command_stream.hpp).
// docs/arithmetic.md defines what the compute commands compute.
//
// Three units run side by side, each executing its own commands in program order: `load` (DRAM →
// on-chip), `compute` (PE array, edge array, vector unit) and `store` (activation SRAM → DRAM). Units
// wait for one another through 16 token counters: before a command starts, each counter named in
// `wait` must be above 0 and is lowered by one; when it has ended, each counter named in `signal` is
// raised by one. All counters are 0 at the doorbell.
#pragma once

#include <cstdint>
#include <type_traits>

#include "tlm/tap_kinds.hpp"

namespace abacus::hw {

enum class Opcode : std::uint8_t {
  load = 1,      // DMA: DRAM → on-chip memory
  store = 2,     // DMA: activation SRAM → DRAM
  convolve = 3,  // compute: one output tile of a convolution on the PE array or the edge array
  add = 4,       // compute: residual addition on the vector unit
  pool = 5,      // compute: average or max pool on the vector unit
  adapt = 7,     // compute: step adapter, from the channel sums of a stored tensor
  finish = 6     // sequencer: waits for its tokens and until all units are idle, then interrupts
};

enum class OnChipMemory : std::uint8_t { activation = 0, weight = 1, parameter = 2 };

// Exponents of twice_shifted taps: 16 for each of the two parts of a code's magnitude.
inline constexpr int term_exponents = 16;
inline constexpr std::int8_t no_term = -1;

// Whether the step adapter adds what a command stores to its channel sums, whose channels are those of
// the pixel that is stored.
enum class ChannelSums : std::uint8_t {
  none = 0,
  add = 1,
  restart = 2  // from 0
};

// Element of a stored tensor: bits (2 … 16) and sign; 1 byte up to 8 bits, else 2.
struct ElementFormat {
  std::uint8_t bits;
  std::uint8_t is_signed;
};

// Copies `rows` rows of `row_bytes` bytes. Row i is at address + i·stride on either side.
struct TransferFields {
  std::uint64_t dram_address;
  std::uint32_t onchip_address;
  std::uint32_t row_bytes;
  std::uint32_t rows;
  std::uint32_t dram_stride;
  std::uint32_t onchip_stride;
  OnChipMemory memory;    // store: activation
  std::uint8_t residual;  // load into activation memory: 1 for a residual operand; monitors only
  std::uint8_t reserved[2];
};

// One output tile: `output_height` full-width rows × `columns` output channels of one read-quantizer
// group, all input channels. Activations in SRAM: height, width, channel order, channels of the whole
// tensor side by side, no padding bytes.
//
// Weights: packed; for ky, for kx, for each group of 8 input channels, for each of the `columns`
// columns: 8 weights (input channels i … i+7, zero past the last) of weight_bits each, lowest bits
// first, in weight_bits bytes; two's complement if signed; of sign products a bit, 1 for +1.
// Depthwise: for ky, for kx, for each 8 columns: 8 weights.
// Parameters: `columns` records of type ScaleRecord.
struct ConvolveFields {
  std::uint32_t
      input_address;  // activation SRAM: first row of the input tile (see first_input_row)
  std::uint32_t output_address;     // activation SRAM: first row of the output tile, channel 0
  std::uint32_t residual_address;   // activation SRAM: like the output tile, in residual_format
  std::uint32_t weight_address;     // weight SRAM
  std::uint32_t parameter_address;  // parameter SRAM
  std::uint16_t input_height;       // of the whole input tensor
  std::uint16_t input_width;
  std::uint16_t input_channels;
  std::uint16_t output_width;
  std::uint16_t output_height;     // rows of this tile
  std::uint16_t first_output_row;  // of this tile in the whole output
  std::uint16_t first_input_row;  // row of the whole input tensor that stands at input_address; the
                                  // buffer holds every row of the tile's windows that exists
  std::uint16_t output_channels;  // of the whole output: a pixel has output_channels elements
  std::uint16_t columns;          // output channels of this tile, at most the array's columns
  std::uint8_t kernel;
  std::uint8_t stride;
  std::uint8_t padding;
  std::uint8_t edge_array;  // 1: on the edge array
  TapKind taps;
  std::uint8_t weight_bits;  // 2 … 8; sign products: 1 both, signed, read_multiplier 1, no shifts
  std::uint8_t weight_signed;
  std::uint8_t activation_bits;
  std::uint8_t activation_signed;
  std::uint8_t weight_shift;
  std::uint8_t activation_shift;
  std::uint8_t read_shift;
  std::uint16_t read_multiplier;
  std::uint8_t shift;
  std::uint8_t relu;
  std::uint8_t has_residual;
  std::uint8_t residual_shift;
  std::uint16_t residual_multiplier;
  ElementFormat input_format;
  ElementFormat output_format;
  ElementFormat residual_format;
  std::uint8_t keep_weights;   // 1: same weights as the command before on this array: no refill
  std::uint8_t step_register;  // 0: none; else read_multiplier and scale multipliers are those of
                               // step register step_register − 1
  ChannelSums channel_sums;
  // Exponent weights only.
  std::uint8_t fraction_bits;  // of taps and accumulator, in units of 2^−fraction_bits; `shift`,
                               // `residual_shift` and the biases include them
  std::uint8_t levels;         // codes −levels … levels; others are weights of 0
  std::uint8_t
      first_term_bits;  // twice_shifted: low bits of a code's magnitude that choose p, 1 … 4;
                        // those above them choose q
  std::int8_t
      exponents[2 * term_exponents];  // twice_shifted: p, then q; no_term where there is none
  std::uint8_t depthwise;       // 1: column j sees input channel first_channel + j alone; see below
  std::uint16_t first_channel;  // depthwise; else 0
  std::uint16_t
      first_sum_channel;  // with channel_sums: whose sum takes element 0 of an output pixel
};

// Per output channel, in parameter SRAM.
struct ScaleRecord {
  std::int64_t bias;
  std::int32_t multiplier;
  std::uint16_t output_channel;  // where in the output pixel the column's result goes
  std::uint16_t reserved;
};

// add: both operands and output have `height` × `width` × `channels`; kernel and stride unused.
// pool: input tile of input_height × input_width; output height × width; windows at stride.
struct VectorFields {
  std::uint32_t input_address;
  std::uint32_t second_address;  // add
  std::uint32_t output_address;
  std::uint16_t height;  // of the output tile
  std::uint16_t width;
  std::uint16_t channels;
  std::uint16_t input_width;  // pool
  std::uint8_t kernel;        // pool
  std::uint8_t stride;        // pool
  std::uint8_t maximum;       // pool: 1 max, 0 average
  std::uint8_t relu;
  std::uint16_t multiplier;
  std::uint16_t second_multiplier;  // add
  std::uint8_t left_shift;          // add
  std::uint8_t second_left_shift;   // add
  std::uint8_t shift;
  ChannelSums channel_sums;
  ElementFormat input_format;
  ElementFormat second_format;
  ElementFormat output_format;
  std::uint16_t reserved1;
  std::int64_t bias;  // pool
};

// adapt: β of a layer's step from the channel sums, into a step register. In the weight SRAM, at
// `address` (a multiple of 8): `hidden` biases of 64 bits; hidden × channels weights of 8 bits; `hidden`
// (where that is 0, `channels`) weights of 8 bits. docs/arithmetic.md, "Step adapter".
struct AdaptFields {
  std::uint32_t address;
  std::uint16_t channels;
  std::uint16_t hidden;  // 0: one layer only
  std::uint16_t pool_multiplier;
  std::uint16_t read_multiplier;  // that of β = 1
  std::uint8_t pool_shift;
  std::uint8_t first_shift;
  std::uint8_t second_shift;
  std::uint8_t step_register;  // which one it sets
  std::int64_t second_bias;

  std::uint64_t bytes() const {
    return std::uint64_t{hidden} * (8 + channels) + (hidden == 0 ? channels : hidden);
  }
};

struct Command {
  Opcode opcode;
  std::uint8_t reserved;
  std::uint16_t layer;  // index into the integer network, for monitors and counters; 0xFFFF: none
  std::uint16_t wait;   // bit i: token counter i
  std::uint16_t signal;
  union {
    TransferFields transfer;
    ConvolveFields convolve;
    VectorFields vector;
    AdaptFields adapt;
    std::uint8_t bytes[120];
  };
};

inline constexpr std::uint16_t no_layer = 0xFFFF;
inline constexpr int token_counters = 16;

static_assert(sizeof(Command) == 128 && std::is_trivially_copyable_v<Command>);
static_assert(sizeof(ScaleRecord) == 16 && std::is_trivially_copyable_v<ScaleRecord>);
static_assert(sizeof(ConvolveFields) <= 120 && sizeof(VectorFields) <= 120 &&
              sizeof(TransferFields) <= 120 && sizeof(AdaptFields) <= 120);

}  // namespace abacus::hw

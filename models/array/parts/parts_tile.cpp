#include "models/array/parts/parts_tile.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace abacus::models {
namespace {

// Wide enough that the windows of neighbouring strips share little, narrow enough for the cache.
constexpr int most_strip_positions = 16;

// The kernel of the digits' products: AVX2 and the portable versions have none for bytes.
TapKernel product_kernel(CpuTarget target) {
  return target == CpuTarget::avx512 ? TapKernel::product8 : TapKernel::product16;
}

int zero_of(const TapFormat& format, CpuTarget target) {
  return target == CpuTarget::avx512 && format.activation_signed ? 128 : 0;
}

// Beside lookups of every tap a pass costs the time of about half of them with vectors, and more
// than all of them without (benchmarks/tap_tiles_benchmark.cpp).
std::size_t most_passes(CpuTarget target) { return target == CpuTarget::portable ? 0 : 4; }

// Products of the activations by a digit.
TapPlan digit_plan(const TapFormat& format, CpuTarget target, const TapParts::Digit& digit) {
  TapPlan plan;
  plan.kernel = product_kernel(target);
  plan.weight_bits = format.weight_bits;
  plan.zero = zero_of(format, target);
  plan.padding = plan.zero;
  if (plan.wide()) {
    std::copy(digit.value.begin(), digit.value.end(), plan.weight16);
    return plan;
  }
  // Σ a·d = Σ (a + zero)·d − zero·Σ d, and d = (d + 128) − 128.
  plan.corrected = plan.zero != 0;
  plan.correction_scale = -plan.zero;
  plan.correction_base = plan.zero * 128;
  for (std::size_t field = 0; field < digit.value.size(); ++field) {
    plan.weight8[field] = static_cast<std::uint8_t>(digit.value[field]);
    plan.correction_low[field] = static_cast<std::uint8_t>(digit.value[field] + 128);
  }
  return plan;
}

}  // namespace

std::unique_ptr<PartsTile> PartsTile::make(const TapFormat& format, CpuTarget target) {
  TapParts::Limits limits;
  limits.digit_bits = product_kernel(target) == TapKernel::product8 ? 8 : 16;
  limits.passes = most_passes(target);
  limits.least_entries = least_entries(target);
  std::optional<TapParts> parts = TapParts::split(format, limits, zero_of(format, target));
  if (!parts) return nullptr;
  return std::unique_ptr<PartsTile>(new PartsTile(format, target, *std::move(parts)));
}

PartsTile::PartsTile(const TapFormat& format, CpuTarget target, TapParts parts)
    : TapTile(format),
      target_(target),
      parts_(std::move(parts)),
      operand_bytes_(layout().wide ? 2 : 1) {
  for (const TapParts::Pass& pass : parts_.passes()) {
    passes_.push_back({&pass, nullptr, {}, 0, {}, {}});
  }
  // Signed operands have a zero of their own, which the kernels of products correct.
  const bool beside = parts_.digits().size() == 1 && !passes_.empty() && operand_bytes_ == 1 &&
                      layout().zero == 0 && take_digit(target, *passes_.front().part);
  if (beside) {
    passes_.front().digit = &parts_.digits().front();
    return;
  }
  for (const TapParts::Digit& digit : parts_.digits()) {
    digits_.push_back({digit_plan(format, target, digit), digit.shift, {}, {}});
  }
}

OperandLayout PartsTile::layout() const {
  const int zero = zero_of(format(), target_);
  return {0, zero, format().padding() + zero, product_kernel(target_) == TapKernel::product16};
}

void PartsTile::load(const WeightShape& shape, const std::uint8_t* packed) {
  for (Digit& digit : digits_) {
    // AVX2's unpacking takes 16-bit weights for linear in their fields, which multiples are not.
    unpack_weights(digit.plan.wide() ? CpuTarget::portable : target_, digit.plan, shape, packed,
                   digit.blocks.reserve(shape.block_elements() * digit.plan.operand_bytes()),
                   digit.corrections.reserve(static_cast<std::size_t>(shape.column_blocks()) * 8));
  }
  for (Pass& pass : passes_) {
    unpack_pass(target_, *pass.part, pass.digit, format().weight_bits, shape, packed,
                pass.blocks.reserve(pass_block_bytes(target_, *pass.part, shape)));
  }
  if (parts_.has_constants()) sum_constants(shape, packed);
}

void PartsTile::sum_constants(const WeightShape& shape, const std::uint8_t* packed) {
  constants_.assign(static_cast<std::size_t>(shape.column_blocks()) * 8, 0);
  for_each_field(shape, format().weight_bits, packed, [&](int column, int, int, std::size_t field) {
    constants_[static_cast<std::size_t>(column)] += parts_.constants()[field];
  });
}

void PartsTile::bound(const WeightShape& shape, const std::uint8_t* packed,
                      std::int64_t* bounds) const {
  std::fill_n(bounds, shape.columns, 0);
  for_each_field(shape, format().weight_bits, packed, [&](int column, int, int, std::size_t field) {
    bounds[column] += parts_.bounds()[field];
  });
}

// Bytes of all rows of a strip's window, at most.
std::size_t PartsTile::window_bytes(const Pass& pass) const {
  const int positions = std::min(most_strip_positions, geometry_.output_width);
  return static_cast<std::size_t>((positions - 1) * geometry_.stride + geometry_.kernel) *
         geometry_.kernel * geometry_.channel_groups * 8 * pass.part->entries;
}

// Of the channels.
int PartsTile::parts(const Pass& pass) const {
  return (geometry_.channel_groups + pass.groups - 1) / pass.groups;
}

int PartsTile::strips() const {
  return (geometry_.output_width + most_strip_positions - 1) / most_strip_positions;
}

void PartsTile::take(const TapGeometry& geometry, int /*rows*/, const std::uint8_t* operands) {
  geometry_ = geometry;
  operands_ = operands;
  rows_.resize(static_cast<std::size_t>(geometry.kernel));
  for (Pass& pass : passes_) {
    // What a strip's windows look up stays in the first-level cache beside the weights.
    constexpr std::size_t near_bytes = 32 * 1024;
    const std::size_t group =
        window_bytes(pass) / static_cast<std::size_t>(geometry.channel_groups);
    pass.groups =
        static_cast<int>(std::clamp<std::size_t>(near_bytes / group, 1, geometry.channel_groups));
    const auto places = static_cast<std::size_t>(strips()) * parts(pass);
    pass.looked_up.reserve(places * window_bytes(pass));
    pass.held.assign(places * geometry.kernel, -1);
  }
}

std::size_t PartsTile::operand_at(int row, int position, int group) const {
  return row * static_cast<std::size_t>(geometry_.operand_row()) +
         (static_cast<std::size_t>(position) * geometry_.channel_groups + group) * 8;
}

void PartsTile::look_up_rows(Pass& pass, int output_row, int strip, const PassPart& part) {
  const auto entries = static_cast<std::size_t>(pass.part->entries);
  const auto channels = static_cast<std::size_t>(geometry_.channel_groups) * 8;
  const auto part_channels = static_cast<std::size_t>(part.groups) * 8;
  const auto positions =
      static_cast<std::size_t>((part.positions - 1) * geometry_.stride + geometry_.kernel);
  const int set = strip * parts(pass) + part.first_group / pass.groups;
  std::uint8_t* window = pass.looked_up.data() + set * window_bytes(pass);
  int* held = pass.held.data() + set * geometry_.kernel;
  const int first_row = output_row * geometry_.stride;
  for (int row = first_row; row < first_row + geometry_.kernel; ++row) {
    const int place = row % geometry_.kernel;
    std::uint8_t* to = window + place * positions * part_channels * entries;
    rows_[static_cast<std::size_t>(row - first_row)] = to;
    if (held[place] == row) continue;
    held[place] = row;
    const std::size_t first =
        operand_at(row, strip_begin(strip) * geometry_.stride, part.first_group);
    const bool all = part_channels == channels;
    const std::size_t at_once = all ? positions * channels : part_channels;
    for (std::size_t i = 0; i < (all ? 1 : positions); ++i) {
      look_up(target_, *pass.part, at_once, static_cast<int>(operand_bytes_),
              operands_ + (first + i * channels) * operand_bytes_, to + i * at_once * entries);
    }
  }
}

void PartsTile::add_pass(Pass& pass, int first_row, int rows, int kept_shift,
                         std::int32_t* accumulators) {
  const std::size_t position = static_cast<std::size_t>(geometry_.column_blocks) * 8;
  for (int strip = 0; strip < strips(); ++strip) {
    const int begin = strip_begin(strip);
    for (int group = 0; group < geometry_.channel_groups; group += pass.groups) {
      PassPart part{strip_begin(strip + 1) - begin,
                    group,
                    std::min(pass.groups, geometry_.channel_groups - group),
                    rows_.data(),
                    nullptr,
                    parts_.pass_shift()};
      for (int row = first_row; row < first_row + rows; ++row) {
        look_up_rows(pass, row, strip, part);
        if (pass.digit != nullptr) {
          part.operands =
              operands_ + operand_at(row * geometry_.stride, begin * geometry_.stride, group);
        }
        const std::size_t at =
            static_cast<std::size_t>(row - first_row) * geometry_.output_width + begin;
        accumulate_pass(target_, *pass.part, geometry_, part, pass.blocks.data(),
                        group == 0 ? kept_shift : 0, accumulators + at * position);
      }
    }
  }
}

void PartsTile::accumulate(int first_row, int rows, std::int32_t* accumulators) {
  const std::size_t first = static_cast<std::size_t>(first_row) * geometry_.stride *
                            static_cast<std::size_t>(geometry_.operand_row());
  const std::size_t sums =
      static_cast<std::size_t>(rows) * geometry_.output_width * geometry_.column_blocks * 8;
  for (Digit& digit : digits_) {
    const bool upper = &digit == &digits_.front();
    std::int32_t* to = upper ? accumulators : lower_digit_.reserve(sums);
    abacus::models::accumulate(target_, digit.plan.kernel, geometry_, rows,
                               operands_ + first * operand_bytes_, digit.blocks.data(),
                               digit.corrections.data(), to);
    if (upper) continue;
    for (std::size_t i = 0; i < sums; ++i) {
      accumulators[i] =
          static_cast<std::int32_t>((static_cast<std::uint32_t>(accumulators[i]) << digit.shift) +
                                    static_cast<std::uint32_t>(to[i]));
    }
  }
  int kept_shift = digits_.empty() ? -1 : parts_.pass_shift();
  for (Pass& pass : passes_) {
    add_pass(pass, first_row, rows, kept_shift, accumulators);
    kept_shift = 0;
  }
  if (!parts_.has_constants()) return;
  const std::size_t columns = constants_.size();
  for (std::size_t i = 0; i < sums; ++i) {
    accumulators[i] =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(accumulators[i]) +
                                  static_cast<std::uint32_t>(constants_[i % columns]));
  }
}

}  // namespace abacus::models

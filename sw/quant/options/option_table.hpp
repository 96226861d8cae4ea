// The options of quantizations, one row each. Which scheme takes which, with which default: the
// schemes say (sw/quant/schemes/).
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "sw/quant/options/element_option.hpp"
#include "sw/quant/options/option.hpp"
#include "sw/quant/options/quantization_options.hpp"

namespace abacus::quant {

using QuantizationOption = Option<QuantizationValues>;
using TakenQuantizationOption = TakenOption<QuantizationValues>;

// All rows, in the order of recipes, help and documentation. An option's default may depend on those
// before it.
const std::vector<const QuantizationOption*>& quantization_options();

// What of --help such a row stands under.
std::string_view section_of(const QuantizationOption& option);

namespace option {

using AsAsked = QuantizationValues<std::optional>;
using AsCompleted = QuantizationValues<Itself>;
template <typename T>
using Integer = IntegerOption<QuantizationValues, T>;
using Positive = PositiveOption<QuantizationValues>;
using Switch = SwitchOption<QuantizationValues>;
template <typename T>
using Choice = ChoiceOption<QuantizationValues, T>;

inline constexpr ElementOption<QuantizationValues> element{
    {"element", "description of the processing element, which says widths and taps"},
    {&AsAsked::element, &AsCompleted::element}};
inline constexpr Integer<int> weight_bits{
    {"weight-bits", "of the layers between the edges; weights and activations may differ", "bits"},
    {&AsAsked::weight_bits, &AsCompleted::weight_bits},
    {1, 8}};
inline constexpr Integer<int> activation_bits{
    {"activation-bits", "likewise", "bits"},
    {&AsAsked::activation_bits, &AsCompleted::activation_bits},
    {1, 8}};
inline constexpr Integer<int> storage_bits{
    {"storage-bits", "of the tensors between layers", "bits"},
    {&AsAsked::storage_bits, &AsCompleted::storage_bits},
    {2, 16}};
inline constexpr Choice<BatchNormEstimation> batch_norm{
    {"bn",
     "BatchNorm: the checkpoint's, its statistics estimated anew with the quantized layers, the "
     "checkpoint's moved by the change, or fitted to the float network's outputs layer by layer",
     "", "batch-norm", true},
    {&AsAsked::batch_norm, &AsCompleted::batch_norm},
    batch_norm_estimation_names};
inline constexpr Integer<std::int64_t> calibration_images{
    {"calibration-images",
     "training images for the tensors' ranges, and for what is done layer by layer", "images"},
    {&AsAsked::calibration_images, &AsCompleted::calibration_images},
    {1, 1'000'000}};
inline constexpr Integer<std::int64_t> batch_norm_images{
    {"bn-images", "training images for BatchNorm's statistics", "images"},
    {&AsAsked::batch_norm_images, &AsCompleted::batch_norm_images},
    {2, 1'000'000}};
inline constexpr Integer<int> crop_padding{
    {"crop-padding", "augmentation of the training images: pad, then crop at random", "pixels"},
    {&AsAsked::crop_padding, &AsCompleted::crop_padding},
    {0, 16}};
inline constexpr Switch flip{
    {"flip", "augmentation of the training images: mirror every second one, at random"},
    {&AsAsked::flip, &AsCompleted::flip}};
inline constexpr Integer<std::uint64_t> seed{
    {"seed", "of the images' order and augmentation, and whatever else is random"},
    {&AsAsked::seed, &AsCompleted::seed},
    {0, std::numeric_limits<std::uint64_t>::max()}};

inline constexpr Integer<int> groups{
    {"groups", "groups of output channels a layer, with a range each"},
    {&AsAsked::groups, &AsCompleted::groups},
    {1, 64}};
inline constexpr Choice<GroupMethod> group_method{
    {"group-method",
     "what is clustered into groups: each channel's largest weight, its mean, the channel itself, "
     "or nothing: runs of channels"},
    {&AsAsked::group_method, &AsCompleted::group_method},
    group_method_names};
inline constexpr Switch weight_clamp{
    {"weight-clamp", "clamp the weights to the activations' range, losslessly"},
    {&AsAsked::weight_clamp, &AsCompleted::weight_clamp}};
inline constexpr Switch activation_clamp{
    {"activation-clamp", "false: the activations' range is their maximum"},
    {&AsAsked::activation_clamp, &AsCompleted::activation_clamp}};
inline constexpr Choice<ActivationRange> activation_range{
    {"activation-range", "what alpha means: a share of the activations, or of their maximum"},
    {&AsAsked::activation_range, &AsCompleted::activation_range},
    activation_range_names};
inline constexpr Positive alpha{
    {"alpha", "share of the activations within their range, or of their maximum"},
    {&AsAsked::alpha, &AsCompleted::alpha},
    1};
inline constexpr Choice<OperandGrid> operand_grid{
    {"operand-grid",
     "signs of an adder layer's operands: both, the weights' alone, or none; unsigned gives way to "
     "symmetric where activations can be negative"},
    {&AsAsked::operand_grid, &AsCompleted::operand_grid},
    operand_grid_names};
inline constexpr Choice<SharedScale> shared_scale{
    {"shared-scale", "whose range gives a layer's one scale"},
    {&AsAsked::shared_scale, &AsCompleted::shared_scale},
    shared_scale_names};
inline constexpr Choice<RangeSearch> range_search{
    {"range-search", "try ranges, and keep the one with the least error in the layer's output"},
    {&AsAsked::range_search, &AsCompleted::range_search},
    range_search_names};
inline constexpr Choice<WeightRounding> weight_rounding{
    {"weight-rounding",
     "to the nearest level, or weight after weight for the least error in the layer's output (not "
     "with --reconstruction network)",
     "", "", true},
    {&AsAsked::weight_rounding, &AsCompleted::weight_rounding},
    weight_rounding_names};

inline constexpr Choice<Reconstruction> reconstruction{
    {"reconstruction",
     "afterwards learn from the float network, without labels: weights, ranges and BatchNorms "
     "block "
     "by block, or weights and BatchNorms of the whole network (--bn estimated or corrected)",
     "", "", true},
    {&AsAsked::reconstruction, &AsCompleted::reconstruction},
    reconstruction_names};
inline constexpr Integer<std::int64_t> reconstruction_images{
    {"reconstruction-images", "training images to learn from", "images", "", true},
    {&AsAsked::reconstruction_images, &AsCompleted::reconstruction_images},
    {1, 100'000}};
inline constexpr Integer<std::int64_t> iterations{
    {"iterations", "steps a block, or of the whole network", "steps", "", true},
    {&AsAsked::iterations, &AsCompleted::iterations},
    {0, 1'000'000}};
inline constexpr Positive temperature{
    {"temperature", "divides both networks' scores before they are compared", "", "", true},
    {&AsAsked::temperature, &AsCompleted::temperature}};
inline constexpr Integer<std::int64_t> network_iterations{
    {"network-iterations", "steps of the whole network's BatchNorms after the blocks", "steps", "",
     true},
    {&AsAsked::network_iterations, &AsCompleted::network_iterations},
    {0, 1'000'000}};
inline constexpr Integer<std::int64_t> activation_iterations{
    {"activation-iterations", "steps a block of the activations' scales", "steps", "", true},
    {&AsAsked::activation_iterations, &AsCompleted::activation_iterations},
    {0, 1'000'000}};

inline constexpr Integer<int> fraction_bits{
    {"fraction-bits",
     "of the taps of exponent weights, at most; of post just so many. The array must keep as many "
     "(`array.fraction_bits`)",
     "bits"},
    {&AsAsked::fraction_bits, &AsCompleted::fraction_bits},
    {2, network::largest_fraction_bits}};

}  // namespace option
}  // namespace abacus::quant

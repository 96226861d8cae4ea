// libtorch's tensors, operators and autograd. <torch/torch.h> brings modules, optimizers and data
// loaders as well, none of which Abacus uses, and doubles the time that a file takes to compile.
#pragma once

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/types.h>
#include <torch/utils.h>

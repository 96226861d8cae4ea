abacus_test(kernels_test kernels_test.cpp LINK abacus_kernels LABELS hardware)
abacus_test(post_lut_test post_lut_test.cpp LINK abacus_kernels LABELS hardware)
foreach(model pe_array read_quantizer scale_unit step_adapter vector_unit)
  abacus_test(${model}_test ${model}_test.cpp LINK abacus_models LABELS hardware SYSTEMC)
endforeach()
abacus_test(compute_unit_test compute_unit_test.cpp convolve_case.cpp
  LINK abacus_models LABELS hardware SYSTEMC)

// SystemC owns main(); it calls sc_main, and sc_main runs the one test case that CTest asked for.
#include <gtest/gtest.h>

#include <systemc>

int sc_main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

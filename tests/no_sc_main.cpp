// For tests that link SystemC, through what they test, and never run it: its library wants an sc_main(), though
// main() is GoogleTest's here.
#include <cstdlib>

extern "C" int sc_main(int argc, char* argv[]);
extern "C" int sc_main(int /*argc*/, char* /*argv*/[]) { std::abort(); }

#include "tlm/bus.hpp"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tlm/bus_monitor.hpp"

namespace abacus::hw {
namespace {

using sc_core::SC_NS;
using sc_core::sc_time;
using sc_core::sc_time_stamp;

sc_time ns(double t) { return sc_time(t, SC_NS); }

// Answers each request `latency` after it arrives, on the return path or, where asked, on the
// backward path.
struct Memory : sc_core::sc_module {
  Memory(const sc_core::sc_module_name& name, const sc_time& time, bool backward_path = false)
      : sc_module(name), latency(time), backward(backward_path), bytes(4096) {
    socket.register_nb_transport_fw(this, &Memory::nb_transport);
    socket.register_b_transport(this, &Memory::b_transport);
    socket.register_transport_dbg(this, &Memory::transport_dbg);
    socket.register_get_direct_mem_ptr(this, &Memory::get_direct_mem_ptr);
    SC_HAS_PROCESS(Memory);
    SC_METHOD(answer);
    sensitive << event;
    dont_initialize();
  }
  tlm_utils::simple_target_socket<Memory> socket{"socket"};
  sc_time latency;
  bool backward;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint64_t> order;  // addresses as they came
  sc_core::sc_event event{"event"};
  tlm::tlm_generic_payload* pending = nullptr;

  void move(tlm::tlm_generic_payload& t) {
    std::uint8_t* at = bytes.data() + t.get_address();
    if (t.is_read()) std::memcpy(t.get_data_ptr(), at, t.get_data_length());
    if (t.is_write()) std::memcpy(at, t.get_data_ptr(), t.get_data_length());
    t.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport(tlm::tlm_generic_payload& t, tlm::tlm_phase&, sc_time& delay) {
    order.push_back(t.get_address());
    move(t);
    delay += latency;
    if (!backward) return tlm::TLM_COMPLETED;
    pending = &t;
    event.notify(delay);
    return tlm::TLM_ACCEPTED;
  }
  void answer() {
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_time delay = sc_core::SC_ZERO_TIME;
    EXPECT_EQ(socket->nb_transport_bw(*pending, phase, delay), tlm::TLM_COMPLETED);
  }
  void b_transport(tlm::tlm_generic_payload& t, sc_time&) { move(t); }
  unsigned transport_dbg(tlm::tlm_generic_payload& t) {
    move(t);
    return t.get_data_length();
  }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload&, tlm::tlm_dmi& dmi) {
    dmi.init();
    dmi.set_dmi_ptr(bytes.data());
    dmi.set_start_address(0);
    dmi.set_end_address(bytes.size() - 1);
    dmi.allow_read_write();
    return true;
  }
};

// Sends transactions at given times and notes when each is answered.
struct Requester : sc_core::sc_module {
  struct Request {
    sc_time at;
    tlm::tlm_command command;
    std::uint64_t address;
    std::size_t bytes;
  };
  struct Answer {
    std::uint64_t address;
    sc_time at;
    tlm::tlm_response_status status;
    std::vector<std::uint8_t> data;
  };
  explicit Requester(const sc_core::sc_module_name& name) : sc_module(name), pool(256) {
    socket.register_nb_transport_bw(this, &Requester::nb_transport_bw);
    SC_HAS_PROCESS(Requester);
    SC_THREAD(run);
  }
  tlm_utils::simple_initiator_socket<Requester> socket{"socket"};
  TransactionPool pool;
  std::vector<Request> requests;
  std::vector<Answer> answers;

  void run() {
    std::uint8_t value = 1;
    for (const Request& request : requests) {
      if (request.at > sc_time_stamp()) wait(request.at - sc_time_stamp());
      auto& t =
          pool.acquire(request.command, request.address, request.bytes, 5, TensorPurpose::weights);
      if (t.is_write()) std::memset(t.get_data_ptr(), value++, request.bytes);
      tlm::tlm_phase phase = tlm::BEGIN_REQ;
      sc_time delay = sc_core::SC_ZERO_TIME;
      EXPECT_EQ(socket->nb_transport_fw(t, phase, delay), tlm::TLM_UPDATED);
      EXPECT_EQ(phase, tlm::END_REQ);
    }
  }
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& t, tlm::tlm_phase& phase, sc_time&) {
    EXPECT_EQ(phase, tlm::BEGIN_RESP);
    answers.push_back({t.get_address(),
                       sc_time_stamp(),
                       t.get_response_status(),
                       {t.get_data_ptr(), t.get_data_ptr() + t.get_data_length()}});
    t.release();
    return tlm::TLM_COMPLETED;
  }
};

// 8 bytes in a cycle of 10 ns, arbitration and response 1 cycle; 4 KB memories at 0x1000 (30 ns),
// 0x8000 (at once), 0xA000 (30 ns, answers on the backward path) and 0xC000 (for debugging only).
struct BusTest : ::testing::Test {
  Bus bus{"bus",
          BusConfig{8, 1, 1},
          ns(10),
          {"first", "second"},
          {{"memory", 0x1000, 4096},
           {"fast", 0x8000, 4096},
           {"backward", 0xA000, 4096},
           {"hidden", 0xC000, 4096, BusWindow::Access::debug_only}}};
  Memory memory{"memory", ns(30)};
  Memory fast{"fast", ns(0)};
  Memory backward{"backward", ns(30), true};
  Memory hidden{"hidden", ns(0)};
  Requester first{"first"}, second{"second"};
  BusTest() {
    first.socket.bind(bus.from(0));
    second.socket.bind(bus.from(1));
    bus.to(0).bind(memory.socket);
    bus.to(1).bind(fast.socket);
    bus.to(2).bind(backward.socket);
    bus.to(3).bind(hidden.socket);
  }
  static constexpr auto read = tlm::TLM_READ_COMMAND;
  static constexpr auto write = tlm::TLM_WRITE_COMMAND;
};

TEST_F(BusTest, ReadTakesAddressTargetAndDataBeats) {
  memory.bytes[8] = 42;
  first.requests = {{ns(0), read, 0x1008, 64}};
  sc_core::sc_start();
  // Arbitration 10, address 10, memory 30, response 10, 8 beats 80.
  ASSERT_EQ(first.answers.size(), 1u);
  EXPECT_EQ(first.answers[0].at, ns(140));
  EXPECT_EQ(first.answers[0].address, 0x1008u);
  EXPECT_EQ(first.answers[0].status, tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(first.answers[0].data[0], 42);
}

TEST_F(BusTest, WriteTakesDataBeatsOnTheRequestChannel) {
  first.requests = {{ns(0), write, 0x1000, 64}};
  sc_core::sc_start();
  // Arbitration 10, address and 8 data beats 90, memory 30, response 10, one beat 10.
  ASSERT_EQ(first.answers.size(), 1u);
  EXPECT_EQ(first.answers[0].at, ns(150));
  EXPECT_EQ(memory.bytes[63], 1);
}

TEST_F(BusTest, BeatsBeginAtClockEdges) {
  first.requests = {{ns(3), read, 0x1000, 8}};
  sc_core::sc_start();
  // Granted at 20 (13 rounded up), address until 30, ready 60, response 70, beat until 80.
  EXPECT_EQ(first.answers.at(0).at, ns(80));
}

TEST_F(BusTest, TransactionsOverlapWithTheTargetsLatency) {
  memory.latency = ns(300);
  first.requests = {
      {ns(0), read, 0x1000, 64}, {ns(0), read, 0x1040, 64}, {ns(0), read, 0x1080, 64}};
  sc_core::sc_start();
  // The first as alone: 10 + 10 + 300 + 10 + 80; then the response channel is never idle.
  ASSERT_EQ(first.answers.size(), 3u);
  EXPECT_EQ(first.answers[0].at, ns(410));
  EXPECT_EQ(first.answers[1].at, ns(490));
  EXPECT_EQ(first.answers[2].at, ns(570));
}

TEST_F(BusTest, InitiatorsTakeTurns) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    first.requests.push_back({ns(0), write, 0x1000 + 64 * i, 64});
    second.requests.push_back({ns(0), write, 0x1800 + 64 * i, 64});
  }
  sc_core::sc_start();
  ASSERT_EQ(memory.order.size(), 16u);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(memory.order[i] >= 0x800, i % 2 == 1) << "request " << i;
  }
  // Saturated: a request each 9 cycles.
  EXPECT_EQ(second.answers.back().at - first.answers.front().at, ns(15 * 90));
}

TEST_F(BusTest, AnInitiatorAloneIsNotSlowedByTurns) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    first.requests.push_back({ns(0), write, 0x1000 + 64 * i, 64});
  }
  sc_core::sc_start();
  EXPECT_EQ(first.answers.back().at - first.answers.front().at, ns(7 * 90));
}

TEST_F(BusTest, UndecodedAddressesAreErrors) {
  first.requests = {{ns(0), read, 0x0, 8}, {ns(0), write, 0x1FFC, 8}, {ns(0), read, 0x1FF8, 8}};
  sc_core::sc_start();
  std::map<std::uint64_t, tlm::tlm_response_status> status;
  for (const auto& answer : first.answers) status[answer.address] = answer.status;
  EXPECT_EQ(status.at(0x0), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status.at(0x1FFC), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(status.at(0x1FF8), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(memory.order.size(), 1u);
}

TEST_F(BusTest, ResponsesGoInTheOrderInWhichTargetsAreReady) {
  memory.latency = ns(500);
  first.requests = {{ns(0), read, 0x1000, 64}};
  second.requests = {{ns(0), read, 0x8000, 8}};
  sc_core::sc_start();
  // Second granted at 20, ready at 30, beat 40 … 50: long before the slow one.
  EXPECT_EQ(second.answers.at(0).at, ns(50));
  EXPECT_EQ(first.answers.at(0).at, ns(610));
}

TEST_F(BusTest, TargetsMayAnswerOnTheBackwardPath) {
  first.requests = {{ns(0), read, 0xA000, 64}};
  sc_core::sc_start();
  EXPECT_EQ(first.answers.at(0).at, ns(140));
}

TEST_F(BusTest, MonitorLogsTransactions) {
  std::ostringstream log;
  BusMonitor monitor(bus, log);
  first.requests = {{ns(0), read, 0x1000, 64}};
  second.requests = {{ns(1000), write, 0x3000, 4}};
  sc_core::sc_start();
  EXPECT_EQ(log.str(),
            "time_ns,initiator,layer,tensor,address,bytes,access,latency_ns,status\n"
            "0,first,5,weights,0x00001000,64,read,140,ok\n"
            "1000,second,5,weights,0x00003000,4,write,50,error\n");
}

TEST_F(BusTest, DirectMemoryPointersAreTranslated) {
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  auto& t = first.pool.acquire(read, 0x1010, 1, -1, TensorPurpose::none);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(first.socket->get_direct_mem_ptr(t, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x1000u);
  EXPECT_EQ(dmi.get_end_address(), 0x1FFFu);
  EXPECT_EQ(dmi.get_dmi_ptr(), memory.bytes.data());
  t.set_address(0x0);
  EXPECT_FALSE(first.socket->get_direct_mem_ptr(t, dmi));
  t.release();
}

TEST_F(BusTest, DebugWindowsAreClosedToTransactions) {
  hidden.bytes[1] = 7;
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  auto& t = first.pool.acquire(read, 0xC001, 1, -1, TensorPurpose::none);
  sc_time delay = sc_core::SC_ZERO_TIME;
  first.socket->b_transport(t, delay);
  EXPECT_EQ(t.get_response_status(), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(first.socket->transport_dbg(t), 1u);
  EXPECT_EQ(t.get_data_ptr()[0], 7);
  t.release();
}

TEST(Bus, RefusesBadParametersAndOverlaps) {
  EXPECT_THROW(Bus("a", BusConfig{0, 1, 1}, ns(1), {}, {}), std::invalid_argument);
  EXPECT_THROW(Bus("b", BusConfig{8, -1, 1}, ns(1), {}, {}), std::invalid_argument);
  EXPECT_THROW(Bus("c", BusConfig{}, sc_core::SC_ZERO_TIME, {}, {}), std::invalid_argument);
  EXPECT_THROW(Bus("d", BusConfig{}, ns(1), {}, {{"one", 0x1000, 0x1000}, {"two", 0x1800, 0x1000}}),
               std::invalid_argument);
}

}  // namespace
}  // namespace abacus::hw

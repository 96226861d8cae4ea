#include "sw/network/graph_walk.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "sw/network/graph_folding.hpp"

namespace abacus::network {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A tensor that counts itself.
using Counted = std::shared_ptr<int>;

Counted counted(int value) { return std::make_shared<int>(value); }

// image → 0 → 1 → 2 → 4, 0 → 3 → 4, image → 5, 4 → 5.
GraphReads diamond() { return {{-1}, {0}, {1}, {0}, {2, 3}, {-1, 4}}; }

TEST(GraphWalk, DropsATensorAfterItsLastUseAndNotBefore) {
  // By layer: the tensors that are alive once it is done.
  const std::vector<std::vector<int>> alive = {{0}, {0, 1}, {0, 2}, {2, 3}, {4}, {5}};
  GraphWalk<Counted> walk(diamond(), counted(-1));
  std::vector<std::weak_ptr<int>> made;
  for (; !walk.done();) {
    const int layer = walk.layer();
    const Counted output = counted(layer);
    made.push_back(output);
    walk.advance(output);
    std::vector<int> found;
    for (std::size_t i = 0; i < made.size(); ++i) {
      // One is held here: that of this round.
      const long others = made[i].use_count() - (i + 1 == made.size() ? 1 : 0);
      if (others > 0) found.push_back(static_cast<int>(i));
    }
    EXPECT_EQ(found, alive[static_cast<std::size_t>(layer)]) << "after layer " << layer;
  }
}

TEST(GraphWalk, GivesEachLayerWhatItReadsInOrder) {
  GraphWalk<Counted> walk(diamond(), counted(-1));
  std::vector<std::vector<int>> read;
  for (; !walk.done(); walk.advance(counted(walk.layer()))) {
    read.emplace_back();
    for (const Counted& input : walk.inputs()) read.back().push_back(*input);
  }
  EXPECT_EQ(read, diamond());
  EXPECT_EQ(*walk.tensor(5), 5);
}

TEST(GraphWalk, KnowsTheLastReader) {
  GraphWalk<Counted> walk(diamond(), counted(-1));
  for (; !walk.done(); walk.advance(counted(walk.layer()))) {
    EXPECT_EQ(walk.is_last_reader(0), walk.layer() == 3);
    EXPECT_FALSE(walk.is_last_reader(-1)) << "the images are the caller's";
  }
}

// A layer computed together with the one before it; nobody gets to see what lies between.
TEST(GraphWalk, TakesAnOutputAheadOfItsLayer) {
  GraphWalk<Counted> walk({{-1}, {0}, {1}}, counted(-1));
  walk.store(1, counted(7));
  walk.advance();
  EXPECT_EQ(walk.inputs().front(), nullptr);
  walk.advance();
  EXPECT_EQ(*walk.inputs().front(), 7);
  EXPECT_THROW(walk.store(1, counted(8)), std::logic_error);
}

// A part of the graph reads one tensor for all that lies before it.
TEST(GraphWalk, BeginsInTheMiddle) {
  GraphWalk<Counted> walk({{-1}, {0}, {1, 0}, {2}}, 1, counted(50));
  EXPECT_EQ(walk.layer(), 1);
  EXPECT_EQ(*walk.inputs().front(), 50);
  walk.advance(counted(1));
  EXPECT_EQ(*walk.inputs()[0], 1);
  EXPECT_EQ(*walk.inputs()[1], 50);
  EXPECT_FALSE(walk.is_last_reader(0));
}

TEST(GraphWalk, RefusesALayerThatReadsALaterOne) {
  EXPECT_THAT(last_readers({{-1}, {0}, {1}}), ElementsAre(1, 2, no_reader));
  try {
    last_readers({{-1}, {2}, {0}});
    FAIL() << "accepted";
  } catch (const std::invalid_argument& error) {
    EXPECT_THAT(error.what(), HasSubstr("layer 1 reads layer 2"));
  }
}

// At no time are more tensors alive than a block needs: in a ResNet three at once.
TEST(GraphWalk, KeepsFewTensorsOfEveryNetworkAlive) {
  for (const std::string& name : workload_names()) {
    const Network network = make_network(name, Arithmetic::cnn, {3, 32, 32}, 10);
    const GraphReads folded = reads_of(fold_graph(network));
    for (const GraphReads& reads : {reads_of(network), folded}) {
      std::vector<std::weak_ptr<int>> made;
      for (GraphWalk<Counted> walk(reads, counted(-1)); !walk.done();) {
        const Counted output = counted(walk.layer());
        made.push_back(output);
        walk.advance(output);
        int alive = 0;
        for (const auto& tensor : made) alive += tensor.expired() ? 0 : 1;
        EXPECT_LE(alive, 3) << name << " layer " << walk.layer();
      }
    }
  }
}

}  // namespace
}  // namespace abacus::network

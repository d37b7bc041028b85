// Who may wait, and who has to go on with what there is.
#include "gateway/waiting_places.h"

#include <deque>

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

class WaitingPlacesTest : public ::testing::Test {
 protected:
  // How many of `probes` of that account find a place; they keep it.
  int find_places(WaitingPlaces& all, WaitingPlaces::OfAccount& account, int probes) {
    int found = 0;
    for (int i = 0; i < probes; ++i) {
      if (kept.emplace_back(all, account)) ++found;
    }
    return found;
  }

  WaitingPlaces::OfAccount acme, globex, initech, hooli, umbrella;
  std::deque<WaitingPlaces::Taken> kept;
};

TEST_F(WaitingPlacesTest, OneAccountTakesAQuarter) {
  WaitingPlaces all(128);
  EXPECT_EQ(find_places(all, acme, 1000), 32);
  EXPECT_EQ(find_places(all, globex, 32), 32);
  kept.clear();
}

TEST_F(WaitingPlacesTest, WhatOneIsRefusedIsTakenFromNobody) {
  WaitingPlaces all(128);
  find_places(all, acme, 1000);
  EXPECT_EQ(find_places(all, globex, 32) + find_places(all, initech, 32) + find_places(all, hooli, 32), 96);
  EXPECT_EQ(find_places(all, umbrella, 1), 0) << "all are taken";
  kept.clear();
}

TEST_F(WaitingPlacesTest, OneAccountTakesTwoOfFew) {
  WaitingPlaces four(4);
  EXPECT_EQ(find_places(four, acme, 10), 2);
  kept.clear();
  WaitingPlaces one(1);
  EXPECT_EQ(find_places(one, acme, 10), 1) << "and no more than there are";
  kept.clear();
}

TEST_F(WaitingPlacesTest, APlaceThatIsLeftIsFree) {
  WaitingPlaces all(8);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(find_places(all, acme, 5), 2);
    kept.clear();
  }
}

TEST_F(WaitingPlacesTest, ASmallerNumberHoldsAtOnce) {
  WaitingPlaces all(128);
  EXPECT_EQ(find_places(all, acme, 10), 10);
  all.set_places(8);
  EXPECT_EQ(find_places(all, acme, 1), 0);
  EXPECT_EQ(find_places(all, globex, 1), 0);
  kept.clear();
}

}  // namespace
}  // namespace sqlbak_gateway::gateway

// Signals, in child processes that end by them.
#include "program/signals.h"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace sqlbak_gateway {
namespace {

using namespace std::chrono_literals;
using ::testing::ExitedWithCode;

void block_signals() {
  const sigset_t signals = stop_and_reload_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

class SignalsDeathTest : public ::testing::Test {
 protected:
  SignalsDeathTest() { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(SignalsDeathTest, AStopEndsAStartThatHangs) {
  const auto hanging_start = [] {
    block_signals();
    const StopWhileStarting stop_while_starting;
    ::kill(::getpid(), SIGTERM);
    std::this_thread::sleep_for(60s);
  };
  EXPECT_EXIT(hanging_start(), ExitedWithCode(EXIT_SUCCESS), "");
}

TEST_F(SignalsDeathTest, AReloadDoesNotEndAStart) {
  const auto start = [] {
    block_signals();
    {
      const StopWhileStarting stop_while_starting;
      ::kill(::getpid(), SIGHUP);
      std::this_thread::sleep_for(50ms);
    }
    std::_Exit(next_signal(stop_and_reload_signals(), 0s) == SIGHUP ? 7 : 8);
  };
  EXPECT_EXIT(start(), ExitedWithCode(7), "");
}

TEST_F(SignalsDeathTest, WhatHangsIsEndedInTime) {
  const auto hanging_stop = [] {
    end_at_the_latest_after(50ms);
    std::this_thread::sleep_for(60s);
  };
  EXPECT_EXIT(hanging_stop(), ExitedWithCode(EXIT_SUCCESS), "");
}

TEST(Signals, NoneComesBeforePatienceEnds) {
  block_signals();
  EXPECT_EQ(next_signal(stop_and_reload_signals(), 1ms), std::nullopt);
}

}  // namespace
}  // namespace sqlbak_gateway

// Which accounts wait for what. An account waits in one place at a time; moving it takes O(1), or O(log n)
// for the queue for backfill slots.
#pragma once

#include "upstream/scheduled_account.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

namespace sqlbak_gateway::upstream::scheduling {

class WaitingAccounts {
 public:
  void leave(Account& account) {
    if (account.waits.list != nullptr) account.waits.list->erase(account.waits.position);
    if (account.waits.what == WaitsFor::backfill_slot) {
      for_backfill_slot_[account.health.lane].erase(account.backfill.turn);
    }
    account.waits.list = nullptr;
    account.waits.what = WaitsFor::nothing;
  }
  void wait_for_turn(Account& account) {
    const auto kind = static_cast<std::size_t>(account.share.kind);
    wait(account, WaitsFor::turn, for_turn_[account.health.lane][kind]);
  }
  void wait_for_group(Account& account) { wait(account, WaitsFor::group, account.group->waiting); }
  void wait_for_backfill_slot(Account& account) {
    leave(account);
    for_backfill_slot_[account.health.lane].emplace(account.backfill.turn, &account);
    account.waits.what = WaitsFor::backfill_slot;
  }

  // Those that wait for their turn: warm collections, then backfills.
  std::array<AccountList, 2>& for_turn(Lane lane) { return for_turn_[lane]; }
  std::size_t count_for_turn(Lane lane) const {
    return for_turn_[lane][0].size() + for_turn_[lane][1].size();
  }
  // The first in the queue for backfill slots; null if it is empty.
  Account* first_for_backfill_slot(Lane lane) const {
    const auto& queue = for_backfill_slot_[lane];
    return queue.empty() ? nullptr : queue.begin()->second;
  }

 private:
  void wait(Account& account, WaitsFor what, AccountList& list) {
    leave(account);
    account.waits.list = &list;
    account.waits.position = list.insert(list.end(), &account);
    account.waits.what = what;
  }

  std::array<std::array<AccountList, 2>, 2> for_turn_;                  // by lane and Share::Kind
  std::array<std::map<std::uint64_t, Account*>, 2> for_backfill_slot_;  // by lane and turn
};

}  // namespace sqlbak_gateway::upstream::scheduling

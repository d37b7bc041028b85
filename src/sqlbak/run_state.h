// What is known of a run, and how that changes with a collection. The two tables below are the rules; they
// are also the tables of docs/remembering.md, and a test compares the two. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sqlbak_gateway::sqlbak {

// What is known of a run between two collections.
enum class Known : std::uint8_t {
  none,           // nothing: a run that was never seen
  settled,        // what it came to; it has finished and is not read again
  open,           // it is read again: it may still change, or it could not be read yet
  idle,           // it has finished and counts for nothing: it has no entries, or started too long ago
  missing,        // it is listed, but its details do not exist (404): it counts for nothing
  vanished,       // it is not listed any more; what it came to stays true
  vanished_open,  // likewise, and it is read again once it is listed again
};
inline constexpr std::size_t kKnownCount = 7;

// What a collection learned from a run's details.
enum class Details : std::uint8_t {
  unread,           // nothing: they were not asked for, or not answered
  doubted,          // nothing either, and what is known may not be true any more
  endpoint_failed,  // nothing: they could not be read, and neither could those of any other run
  unreadable,       // nothing: they could not be read, but those of others could
  unfinished,       // the run may still change
  finished,         // the run has finished
  empty,            // the run has finished and has no entries
  not_found,        // the run is listed, but its details do not exist (404)
};
inline constexpr std::size_t kDetailsCount = 8;

// What a collection learned from the lists of a job's runs.
enum class Presence : std::uint8_t {
  unseen,  // the run is in none of them, but they do not go back far enough to tell
  listed,  // it is in one of them
  gone,    // it is in none of them although they are complete, or is not listed and its details do not exist
};
inline constexpr std::size_t kPresenceCount = 3;

// What a run is worth once it is not listed any more.
enum class Worth : std::uint8_t {
  lasting,   // it has entries, a start, and started late enough to be kept: what it came to stays true
  fleeting,  // it has no entries or no start: it counts while it is listed
  old,       // it started before what is kept; what it came to is added to what is remembered of its type
};
inline constexpr std::size_t kWorthCount = 3;

namespace tables {

using enum Known;

// clang-format off
inline constexpr std::array<std::array<Known, kDetailsCount>, kKnownCount> kAfterDetails = {{
  // known            unread         doubted        endpoint_failed unreadable     unfinished finished empty not_found
  /* none          */ {none,          none,          open,          open,          open,      settled, idle, missing},
  /* settled       */ {settled,       open,          settled,       open,          open,      settled, idle, missing},
  /* open          */ {open,          open,          open,          open,          open,      settled, idle, missing},
  /* idle          */ {idle,          none,          idle,          open,          open,      settled, idle, missing},
  /* missing       */ {missing,       missing,       missing,       missing,       open,      settled, idle, missing},
  /* vanished      */ {vanished,      vanished_open, vanished,      vanished_open, open,      settled, idle, missing},
  /* vanished_open */ {vanished_open, vanished_open, vanished_open, vanished_open, open,      settled, idle, missing},
}};

// For a lasting, a fleeting and an old run.
using ByWorth = std::array<Known, kWorthCount>;
inline constexpr std::array<std::array<ByWorth, kPresenceCount>, kKnownCount> kAfterLists = {{
  // known              unseen                        listed                       gone
  /* none          */ {{{none, none, none},          {none, none, none},          {none, none, none}}},
  /* settled       */ {{{settled, settled, idle},    {settled, settled, idle},    {vanished, none, none}}},
  /* open          */ {{{open, open, open},          {open, open, open},          {vanished_open, none, none}}},
  /* idle          */ {{{idle, idle, idle},          {idle, idle, idle},          {none, none, none}}},
  /* missing       */ {{{missing, missing, missing}, {missing, missing, missing}, {missing, none, none}}},
  /* vanished      */ {{{vanished, none, none},      {settled, settled, idle},    {vanished, none, none}}},
  /* vanished_open */ {{{vanished_open, none, none}, {open, open, open},          {vanished_open, none, none}}},
}};
// clang-format on

}  // namespace tables

// First what a run's details say changes what is known of it ...
constexpr Known after_details(Known known, Details details) {
  return tables::kAfterDetails[static_cast<std::size_t>(known)][static_cast<std::size_t>(details)];
}

// ... and then what the lists say. The result is what the next collection knows.
constexpr Known after_lists(Known known, Presence presence, Worth worth) {
  return tables::kAfterLists[static_cast<std::size_t>(known)][static_cast<std::size_t>(presence)]
                            [static_cast<std::size_t>(worth)];
}

}  // namespace sqlbak_gateway::sqlbak

#include "simulator/knobs.h"

#include "sqlbak_gateway/base/text.h"

#include <array>
#include <charconv>
#include <functional>

namespace sqlbak_gateway::simulator {
namespace {

using Milliseconds = std::chrono::milliseconds;

struct Knob {
  std::string_view name;
  std::string_view expects;
  std::string_view help;
  bool (*set)(Knobs&, std::string_view);  // false: not what is expected
};

template <bool Knobs::*member>
bool set_switch(Knobs& knobs, std::string_view value) {
  if (value != "on" && value != "off") return false;
  knobs.*member = value == "on";
  return true;
}

template <Milliseconds Knobs::*member>
bool set_duration(Knobs& knobs, std::string_view value) {
  const bool negative = value.starts_with('-');
  const Result<Duration> duration = parse_duration(negative ? value.substr(1) : value);
  if (!duration) return false;
  const auto magnitude = std::chrono::duration_cast<Milliseconds>(*duration);
  knobs.*member = negative ? -magnitude : magnitude;
  return true;
}

bool set_granularity(Knobs& knobs, std::string_view value) {
  Knobs changed = knobs;
  if (!set_duration<&Knobs::filter_granularity>(changed, value) ||
      changed.filter_granularity <= Milliseconds(0)) {
    return false;
  }
  knobs = changed;
  return true;
}

bool set_order(Knobs& knobs, std::string_view value) {
  if (value == "newest_first")
    knobs.order = Knobs::Order::newest_first;
  else if (value == "oldest_first")
    knobs.order = Knobs::Order::oldest_first;
  else if (value == "shuffled")
    knobs.order = Knobs::Order::shuffled;
  else
    return false;
  return true;
}

bool set_page_size(Knobs& knobs, std::string_view value) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
  if (error != std::errc() || end != value.data() + value.size() || size == 0) return false;
  knobs.page_size = size;
  return true;
}

constexpr std::string_view kSwitch = "on|off";
constexpr std::array kKnobs = {
    Knob{"row_started_at", kSwitch, "rows of /jobruns carry started_at", set_switch<&Knobs::row_started_at>},
    Knob{"row_status", kSwitch, "rows of /jobruns carry status", set_switch<&Knobs::row_status>},
    Knob{"row_job_id", kSwitch, "rows of /jobruns carry job_id", set_switch<&Knobs::row_job_id>},
    Knob{"order", "newest_first|oldest_first|shuffled", "order of the rows of /jobruns", set_order},
    Knob{"total", kSwitch, "list envelopes carry page, page_size and total", set_switch<&Knobs::total>},
    Knob{"page_size", "NUMBER", "the most rows of a page, whatever is asked for (100)", set_page_size},
    Knob{"ids_as_text", kSwitch, "ids are JSON strings", set_switch<&Knobs::ids_as_text>},
    Knob{"named_runs", kSwitch, "ids of runs are no numbers", set_switch<&Knobs::named_runs>},
    Knob{"job_id_required", kSwitch, "/jobruns without job_id is 400", set_switch<&Knobs::job_id_required>},
    Knob{"finished_at", kSwitch, "runs carry finished_at", set_switch<&Knobs::finished_at>},
    Knob{"sizes", kSwitch, "backups and files carry size", set_switch<&Knobs::sizes>},
    Knob{"database_names", kSwitch, "backups carry database_name", set_switch<&Knobs::database_names>},
    Knob{"job_type", kSwitch, "jobs carry job_type", set_switch<&Knobs::job_type>},
    Knob{"job_enabled", kSwitch, "jobs carry is_enabled", set_switch<&Knobs::job_enabled>},
    Knob{"filter_granularity", "DURATION", "started_after is cut to a multiple of this (1ms)",
         set_granularity},
    Knob{"filter_rounds_up", kSwitch, "… up, so that runs are missing, instead of down",
         set_switch<&Knobs::filter_rounds_up>},
    Knob{"clock_skew", "[-]DURATION", "the API's clock less the true one (0s)",
         set_duration<&Knobs::clock_skew>},
    Knob{"me", kSwitch, "/me answers; off: 404", set_switch<&Knobs::me>},
    Knob{"maintenance", kSwitch, "/jobs lists maintenance jobs unasked", set_switch<&Knobs::maintenance>},
    Knob{"gzip", kSwitch, "answers are compressed for clients that accept it", set_switch<&Knobs::gzip>},
};

}  // namespace

Result<void> set_knob(Knobs& knobs, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view name = assignment.substr(0, equals);
  for (const Knob& knob : kKnobs) {
    if (knob.name != name) continue;
    if (equals != assignment.npos && knob.set(knobs, assignment.substr(equals + 1))) return {};
    return Error{"knob " + std::string(name) + " is set as " + std::string(name) + "=" +
                 std::string(knob.expects)};
  }
  std::string names;
  for (const Knob& knob : kKnobs) names.append(names.empty() ? "" : ", ").append(knob.name);
  return Error{"there is no knob \"" + std::string(name) + "\"; there are " + names};
}

std::vector<std::string> knob_help() {
  std::vector<std::string> lines;
  for (const Knob& knob : kKnobs) {
    std::string line = std::string(knob.name) + "=" + std::string(knob.expects);
    line.resize(std::max<std::size_t>(line.size() + 1, 42), ' ');
    lines.push_back(line.append(knob.help));
  }
  return lines;
}

Knobs random_knobs(Random& random) {
  Knobs knobs;
  for (const auto member :
       {&Knobs::row_started_at, &Knobs::row_status, &Knobs::row_job_id, &Knobs::total, &Knobs::ids_as_text,
        &Knobs::job_id_required, &Knobs::finished_at, &Knobs::sizes, &Knobs::database_names, &Knobs::job_type,
        &Knobs::job_enabled, &Knobs::filter_rounds_up, &Knobs::me, &Knobs::maintenance, &Knobs::gzip}) {
    knobs.*member = random.happens(0.5);
  }
  knobs.order = static_cast<Knobs::Order>(random.below(3));
  static constexpr std::array kGranularities = {Milliseconds(1), Milliseconds(1'000), Milliseconds(3'600'000),
                                                Milliseconds(86'400'000)};
  knobs.filter_granularity = kGranularities[random.below(kGranularities.size())];
  if (random.happens(0.3)) knobs.clock_skew = Milliseconds(random.below(600'000)) - Milliseconds(300'000);
  knobs.named_runs = random.happens(0.2);
  return knobs;
}

}  // namespace sqlbak_gateway::simulator

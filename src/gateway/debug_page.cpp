#include "sqlbak_gateway/gateway/debug_page.h"

#include "gateway/published.h"
#include "gateway/trace.h"
#include "sqlbak_gateway/base/text.h"

namespace sqlbak_gateway::gateway {
namespace {

std::string whole_seconds(Duration duration) {
  return format_duration(std::chrono::floor<std::chrono::seconds>(duration));
}

std::string age(SystemTime then, SystemTime now) {
  return whole_seconds(std::max(SystemTime::duration::zero(), now - then));
}

// One word, and what goes with it.
std::string state_of(const AccountView& view) {
  if (view.record.last_failure) return std::string(name(view.record.last_failure->reason));
  if (view.backfilling) return "initial collection";
  if (!view.record.completed_any) return "not collected yet";
  return "ok";
}

std::string next_collection(const AccountView& view) {
  if (!view.next_collection_in) return "running now";
  if (*view.next_collection_in == Duration::zero()) return "with the next probe";
  return "in " + whole_seconds(*view.next_collection_in) + ", at a probe's request";
}

}  // namespace

std::string debug_page(const AccountOnPage& account, SystemTime now, TraceDetail detail,
                       const std::string& exposition) {
  const AccountView& view = account.view;
  std::string text = "Account " + account.config->name + " at " + format_time(now) + "\n\n";
  text += "API:              " + account.config->api_url + "\n";
  text += "State:            " + state_of(view) + "\n";
  if (view.record.last_failure) text += "Last error:       " + view.record.last_failure->message + "\n";
  text += "Last success:     " +
          (view.record.last_success
               ? format_time(*view.record.last_success) + " (" + age(*view.record.last_success, now) + " ago)"
               : std::string("none yet")) +
          "\n";
  text += "Next collection:  " + next_collection(view) + "\n";
  if (view.data) {
    const Snapshot& snapshot = view.data->snapshot();
    text += "Data:             " + std::to_string(snapshot.servers.size()) + " servers, " +
            std::to_string(snapshot.jobs.size()) + " jobs read, " + std::to_string(snapshot.jobs_pending) +
            " pending, " + std::to_string(snapshot.jobs_unreadable) + " unreadable\n";
    for (const evaluation::AmbiguousOverride& over : view.data->account->ambiguous_overrides) {
      text += "Override:         " + std::string(over.of_server ? "server" : "job") + " \"" +
              json_escaped(over.target) + "\" matches " +
              (over.matches == 0 ? "nothing" : std::to_string(over.matches) + " at once") + "\n";
    }
  }

  text += "\nLast collection\n";
  text += view.traces.empty() ? "  none yet\n" : to_text(*view.traces.front(), detail);
  if (view.traces.size() > 1) {
    text += "\nCollections before it\n";
    for (std::size_t i = 1; i < view.traces.size(); ++i) text += "  " + summary_line(*view.traces[i]) + "\n";
  }
  const bool last_is_failure = !view.traces.empty() && view.traces.front()->failed();
  if (view.failures.size() > (last_is_failure ? 1 : 0)) {
    text += "\nLast failures\n";
    for (std::size_t i = last_is_failure ? 1 : 0; i < view.failures.size(); ++i)
      text += to_text(*view.failures[i], detail);
  }
  return exposition.empty() ? text : text + "\nMetrics\n" + exposition;
}

}  // namespace sqlbak_gateway::gateway

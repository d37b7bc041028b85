// Renders findings and the collection status as text in the Prometheus exposition format 0.0.4.
//
// A Layout prepares once for each snapshot what is the same in all its answers: escaped labels, and which
// series max_series leaves out. An answer then only appends text. No sample has a timestamp, no series occurs
// twice, and the text is valid UTF-8 whatever the API sent.
#pragma once

#include "sqlbak_gateway/evaluation/collection_status.h"
#include "sqlbak_gateway/evaluation/findings.h"

#include <cstddef>
#include <memory>
#include <string>

namespace sqlbak_gateway::exposition {

// The names of an account's metrics: those of the published exporter (seed), those that follow Prometheus's
// conventions (clean), or both. Metrics that only this gateway has are present in every mode.
enum class NameMode { seed, clean, both };

struct Format {
  NameMode names = NameMode::seed;
  bool summary = true;  // sqlbak_job_summary
  // Of a whole answer. Jobs are left out first, from the last one on, then statuses that only this account
  // has, then servers. What has a fixed number of series is always there.
  std::size_t max_series = 50000;
  // Of one label's value, before escaping; longer ones are shortened (shortened_to). At least 32.
  std::size_t max_label_bytes = 1000;
  friend bool operator==(const Format&, const Format&) = default;
};

// A prepared account in a format. Immutable; safe to read from any thread. Keeps its account alive.
class Layout {
 public:
  Layout(std::shared_ptr<const evaluation::PreparedAccount> account, const Format& format);
  ~Layout();
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;

  const std::shared_ptr<const evaluation::PreparedAccount>& account() const;
  // sqlbak_collection_series_dropped
  std::size_t series_dropped() const;

  struct Parts;  // defined where it is rendered

 private:
  friend void render(const Layout& layout, const evaluation::Findings& findings,
                     const evaluation::CollectionStatus& status, std::string& out);
  std::unique_ptr<const Parts> parts_;
};

// Appends the complete answer of an account to `out`. `findings` must refer to the layout's account.
// Allocates at most once, to enlarge `out`.
void render(const Layout& layout, const evaluation::Findings& findings,
            const evaluation::CollectionStatus& status, std::string& out);

// Appends the answer of an account without data (none yet, or older than max_stale): the metrics of the probe
// and its collections. `series_dropped` belongs to the data that are too old.
void render(const Format& format, const evaluation::CollectionStatus& status, std::size_t series_dropped,
            std::string& out);

}  // namespace sqlbak_gateway::exposition

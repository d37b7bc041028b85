// Rendering: findings and the state of collecting become text in the Prometheus exposition format 0.0.4.
//
// What stays the same between answers (escaped labels, what max_series cuts) is laid out once a snapshot; an
// answer then only appends. No sample has a timestamp, no series is there twice, and the text is valid UTF-8
// whatever the API sent.
#pragma once

#include "sqlbak_gateway/evaluation/collection_status.h"
#include "sqlbak_gateway/evaluation/findings.h"

#include <cstddef>
#include <memory>
#include <string>

namespace sqlbak_gateway::exposition {

// Which names an account's metrics have: the published exporter's, the convention-clean ones, or both.
// Metrics that only this gateway has are there in every mode.
enum class NameMode { seed, clean, both };

struct Format {
  NameMode names = NameMode::seed;
  bool summary = true;  // sqlbak_job_summary
  // Of a whole answer. Jobs are left out first, from the last one on, then statuses that only this account has, then
  // servers. What has a fixed number of series is always there.
  std::size_t max_series = 50000;
  // Of one label's value, before escaping; longer ones are shortened (shortened_to). At least 32.
  std::size_t max_label_bytes = 1000;
  friend bool operator==(const Format&, const Format&) = default;
};

// A prepared account laid out for a format. Immutable; safe to read from any thread. Keeps its account alive.
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

// Appends an account's whole answer to `out`. `findings` must be of the layout's own account. Allocates at
// most once, to make room in `out`.
void render(const Layout& layout, const evaluation::Findings& findings,
            const evaluation::CollectionStatus& status, std::string& out);

// Appends the answer of an account without data (none yet, or older than max_stale): the probe and collection
// metrics and the availability gauges. `series_dropped`: of the data that are too old.
void render(const Format& format, const evaluation::CollectionStatus& status, std::size_t series_dropped,
            std::string& out);

}  // namespace sqlbak_gateway::exposition

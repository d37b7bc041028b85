#include "simulator/endpoints.h"

#include "simulator/documents.h"
#include "simulator/query.h"
#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <functional>

namespace sqlbak_gateway::simulator {
namespace {

using nlohmann::json;

std::string dumped(const json& document) {
  return document.dump(-1, ' ', false, json::error_handler_t::replace);
}

Reply json_reply(const json& document) {
  return {200, {{"Content-Type", "application/json; charset=utf-8"}}, dumped(document), {}};
}

Reply object_reply(json object) {
  return json_reply({{"data", std::move(object)}});
}

std::optional<Id> id_in(std::string_view text) {
  Id id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

// One page of `count` rows.
Reply list_reply(const Query& query, const Knobs& knobs, const ListFaults& faults, std::size_t count,
                 const std::function<json(std::size_t)>& row) {
  const std::int64_t page = query.get("page") ? query.number("page").value_or(0) : 1;
  const std::int64_t wanted = query.get("page_size") ? query.number("page_size").value_or(0) : 100;
  if (page < 1 || wanted < 1) return error_reply(400, "page and page_size are numbers from 1 on");
  const auto size = static_cast<std::int64_t>(std::min(static_cast<std::size_t>(wanted), knobs.page_size));
  const auto rows = static_cast<std::int64_t>(count);
  const std::int64_t shifted =
      faults.shift * (page - 1);  // rows that were added in front since the first page
  std::int64_t begin = (page - 1) * size - shifted;
  if (faults.endless && begin >= rows) begin = rows == 0 ? 0 : (rows - 1) / size * size;
  const std::int64_t end = std::min(begin + size, rows);
  json list = json::array();
  for (std::int64_t i = std::max<std::int64_t>(begin, 0); i < end; ++i)
    list.push_back(row(static_cast<std::size_t>(i)));
  json data;
  data["list"] = std::move(list);
  data["has_more"] = faults.endless || begin + size < rows;
  if (knobs.total) {
    data["page"] = page;
    data["page_size"] = size;
    data["total"] = rows + shifted;
  }
  return object_reply(std::move(data));
}

bool equals_if_given(const Query& query, std::string_view name, const std::string& value) {
  const std::optional<std::string> wanted = query.get(name);
  return !wanted || *wanted == value;
}

Reply servers_reply(const Account& account, const Knobs& knobs, const ListFaults& faults,
                    const Query& query) {
  std::vector<const Server*> rows;
  for (const auto& [id, server] : account.servers()) {
    if (equals_if_given(query, "name", server.name) && equals_if_given(query, "app_type", server.app_type) &&
        equals_if_given(query, "status", server.status)) {
      rows.push_back(&server);
    }
  }
  return list_reply(query, knobs, faults, rows.size(),
                    [&](std::size_t i) { return documents::server(account, *rows[i], knobs); });
}

Reply jobs_reply(const Account& account, const Knobs& knobs, const ListFaults& faults, const Query& query) {
  std::vector<const Job*> rows;
  for (const auto& [id, job] : account.jobs()) {
    const bool unasked_for = job.type == "maintenance" && !knobs.maintenance && !query.get("job_type");
    if (!unasked_for && equals_if_given(query, "name", job.name) &&
        equals_if_given(query, "job_type", job.type) &&
        equals_if_given(query, "server_id", std::to_string(job.server_id))) {
      rows.push_back(&job);
    }
  }
  return list_reply(query, knobs, faults, rows.size(),
                    [&](std::size_t i) { return documents::job(account, *rows[i], knobs); });
}

// The instant that started_after means, after the API's rounding.
std::optional<std::int64_t> filter_from(const Query& query, const Knobs& knobs) {
  const std::optional<std::int64_t> asked = query.number("started_after");
  if (!asked) return std::nullopt;
  const std::int64_t granule = knobs.filter_granularity.count();
  const std::int64_t into = ((*asked % granule) + granule) % granule;
  return knobs.filter_rounds_up && into != 0 ? *asked - into + granule : *asked - into;
}

Reply runs_reply(const Account& account, const Knobs& knobs, const ListFaults& faults, const Query& query) {
  const std::optional<std::string> job_text = query.get("job_id");
  if (!job_text && knobs.job_id_required) return error_reply(400, "job_id is missing");
  const std::optional<Id> job_id = job_text ? id_in(*job_text) : std::nullopt;
  const std::optional<std::int64_t> from = filter_from(query, knobs);
  if (query.get("started_after") && !from) return error_reply(400, "started_after is no number");
  const auto late = std::chrono::duration_cast<std::chrono::milliseconds>(faults.late);

  std::vector<std::pair<const Job*, const Run*>> rows;
  for (const auto& [id, job] : account.jobs()) {
    if (job_text && id != job_id) continue;
    for (const Run& run : job.runs) {
      if (run.removed || run.unlisted) continue;
      if (run.started_at) {
        const auto shown = (*run.started_at + knobs.clock_skew).time_since_epoch().count();
        if ((from && shown < *from) || *run.started_at + late > account.now()) continue;
      }
      rows.emplace_back(&job, &run);
    }
  }
  using Row = std::pair<const Job*, const Run*>;
  switch (knobs.order) {
    case Knobs::Order::newest_first:
      std::ranges::reverse(rows);
      break;
    case Knobs::Order::oldest_first:
      break;
    case Knobs::Order::shuffled:
      std::ranges::sort(rows, {}, [](const Row& row) { return Random(row.second->id).next(); });
      break;
  }
  return list_reply(query, knobs, faults, rows.size(), [&](std::size_t i) {
    return documents::run_row(account, *rows[i].first, *rows[i].second, knobs);
  });
}

Reply settings_reply(const Account& account, const Knobs& knobs, const Route& route) {
  const std::optional<Id> id = id_in(route.id);
  const auto job = id ? account.jobs().find(*id) : account.jobs().end();
  if (job == account.jobs().end()) return error_reply(404, "there is no such job");
  return object_reply(documents::settings(account, job->second, knobs));
}

Reply details_reply(const Account& account, const Knobs& knobs, const Route& route) {
  std::string_view id = route.id;
  if (knobs.named_runs)
    id.remove_prefix(id.starts_with(documents::kRunName) ? documents::kRunName.size() : id.size());
  const auto [job, run] = account.find_run(id_in(id).value_or(0));
  if (run == nullptr || run->unreadable) return error_reply(404, "there is no such run");
  return object_reply(documents::run(account, *job, *run, knobs));
}

Reply destinations_reply(const Account& account, const Knobs& knobs, const ListFaults& faults,
                         const Query& query) {
  std::vector<std::string> names;
  for (const auto& [id, job] : account.jobs()) {
    for (const Destination& destination : job.destinations) {
      if (std::ranges::find(names, destination.name) == names.end()) names.push_back(destination.name);
    }
  }
  return list_reply(query, knobs, faults, names.size(), [&](std::size_t i) {
    return json{{"id", i + 1}, {"name", names[i]}};
  });
}

Reply connections_reply(const Account& account, const Knobs& knobs, const ListFaults& faults,
                        const Query& query) {
  std::vector<const Server*> rows;
  for (const auto& [id, server] : account.servers()) rows.push_back(&server);
  return list_reply(query, knobs, faults, rows.size(), [&](std::size_t i) {
    return json{{"id", rows[i]->id}, {"name", "MSSQL on " + rows[i]->name}, {"server_id", rows[i]->id}};
  });
}

}  // namespace

Reply error_reply(int status, std::string_view message) {
  Reply reply = json_reply({{"error", {{"code", status}, {"message", message}}}});
  reply.status = status;
  return reply;
}

Route route_of(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/me") return {"me", ""};
  if (path == "/servers") return {"servers", ""};
  if (path == "/jobs") return {"jobs", ""};
  if (path == "/jobruns") return {"jobruns", ""};
  if (path == "/destinations") return {"destinations", ""};
  if (path == "/dbms_connections") return {"dbms_connections", ""};
  constexpr std::string_view kJobs = "/jobs/";
  constexpr std::string_view kSettings = "/settings";
  constexpr std::string_view kRuns = "/jobruns/";
  const auto decoded = [](std::string_view segment) {
    const Result<std::string> text = percent_decoded(segment);
    return text ? *text : std::string();
  };
  if (path.starts_with(kJobs) && path.ends_with(kSettings) && path.size() > kJobs.size() + kSettings.size()) {
    return {"settings", decoded(path.substr(kJobs.size(), path.size() - kJobs.size() - kSettings.size()))};
  }
  if (path.starts_with(kRuns)) return {"jobrun_details", decoded(path.substr(kRuns.size()))};
  return {};
}

Reply answer_endpoint(const Account& account, const Knobs& knobs, const ListFaults& faults,
                      const Route& route, std::string_view target) {
  const Query query(target);
  if (route.endpoint == "me") {
    return knobs.me ? object_reply(documents::me(account, knobs)) : error_reply(404, "not found");
  }
  if (route.endpoint == "servers") return servers_reply(account, knobs, faults, query);
  if (route.endpoint == "jobs") return jobs_reply(account, knobs, faults, query);
  if (route.endpoint == "settings") return settings_reply(account, knobs, route);
  if (route.endpoint == "jobruns") return runs_reply(account, knobs, faults, query);
  if (route.endpoint == "jobrun_details") return details_reply(account, knobs, route);
  if (route.endpoint == "destinations") return destinations_reply(account, knobs, faults, query);
  if (route.endpoint == "dbms_connections") return connections_reply(account, knobs, faults, query);
  return error_reply(404, "not found");
}

}  // namespace sqlbak_gateway::simulator

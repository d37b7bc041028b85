#include "gateway/page/page_json.h"

#include "sqlbak_gateway/base/text.h"

#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::gateway {
namespace {

using Json = nlohmann::ordered_json;

Json time(const std::optional<SystemTime>& instant) {
  return instant ? Json(format_time(*instant)) : Json();
}

// To the millisecond.
Json seconds(Duration duration) {
  return std::round(to_seconds(duration) * 1e3) / 1e3;
}

Json seconds(const std::optional<Duration>& duration) {
  return duration ? seconds(*duration) : Json();
}

template <typename Value>
Json value(const std::optional<Value>& known) {
  return known ? Json(*known) : Json();
}

Json json(const CollectionFacts& collection) {
  return {{"started_at", format_time(collection.started_at)},
          {"duration_seconds", seconds(collection.duration)},
          {"api_requests", collection.api_requests},
          {"retries", collection.retries},
          {"throttled_seconds", seconds(collection.throttled)},
          {"result", collection.result},
          {"error", collection.failed() ? Json(collection.error) : Json()}};
}

Json json(const GatewayFacts& gateway) {
  Json made = {{"version", gateway.version}, {"uptime_seconds", seconds(gateway.uptime)}};
  if (gateway.configuration) {
    made["configuration"] = {
        {"last_reload_successful", gateway.configuration->last_reload_succeeded},
        {"last_reload_success_at", format_time(gateway.configuration->last_reload_success)},
        {"files_rejected", gateway.configuration->files_rejected}};
  }
  return made;
}

Json json(const AccountSummary& account) {
  Json reasons = Json::array();
  for (const Reason& reason : account.reasons) reasons.push_back(reason.text);
  Json jobs;
  if (account.jobs) {
    for (const evaluation::JobState state : evaluation::kJobStates)
      jobs[std::string(name(state))] = (*account.jobs)[static_cast<std::size_t>(state)];
  }
  Json next;
  if (account.next.when == NextAttempt::When::later) next = seconds(account.next.in);
  if (account.next.when == NextAttempt::When::with_next_probe) next = 0;
  return {{"account", account.name},
          {"labels", account.labels},
          {"state", key(account.standing)},
          {"at_risk", account.at_risk},
          {"not_collected", account.not_collected},
          {"stale", account.stale},
          {"reasons", std::move(reasons)},
          {"advice", account.advice.empty() ? Json() : Json(account.advice)},
          {"jobs", std::move(jobs)},
          {"servers", value(account.servers)},
          {"servers_offline", value(account.servers_offline)},
          {"data_from", time(account.data_from)},
          {"last_collection", account.last_collection ? json(*account.last_collection) : Json()},
          {"collecting_now", account.next.when == NextAttempt::When::running},
          {"next_collection_in_seconds", std::move(next)}};
}

Json json(const TypeFacts& type) {
  Json source;
  if (type.max_age) source = type.max_age_configured ? "config" : "inferred";
  return {{"type", type.type},
          {"last_success_at", time(type.last_success)},
          {"last_attempt_at", time(type.last_attempt)},
          {"last_attempt_succeeded", value(type.last_attempt_succeeded)},
          {"consecutive_failures", type.consecutive_failures},
          {"max_age_seconds", seconds(type.max_age)},
          {"max_age_source", std::move(source)},
          {"overdue", value(type.overdue)},
          {"retention_days", value(type.retention_days)},
          {"retention", key(type.retention)}};
}

Json json(const JobFacts& job) {
  Json types = Json::array();
  for (const TypeFacts& type : job.types) types.push_back(json(type));
  return {{"id", job.id},
          {"name", job.name},
          {"server", job.server},
          {"state", name(job.state)},
          {"why", job.why.empty() ? Json() : Json(job.why)},
          {"databases_failing", value(job.databases_failing)},
          {"types", std::move(types)}};
}

std::string text(const Json& document) {
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json(const Overview& page) {
  Json accounts = Json::array();
  for (const AccountSummary& account : page.rows) accounts.push_back(json(account));
  return text({{"at", format_time(page.gateway.now)},
               {"gateway", json(page.gateway)},
               {"summary",
                {{"accounts", page.accounts},
                 {"at_risk", page.at_risk},
                 {"not_collected", page.not_collected},
                 {"stale", page.stale}}},
               {"accounts", std::move(accounts)}});
}

std::string to_json(const AccountDetail& page) {
  Json document = {{"at", format_time(page.gateway.now)}, {"gateway", json(page.gateway)}};
  document.update(json(page.summary));
  document["last_probe_at"] = time(page.last_probe);
  document["jobs_pending"] = page.jobs_pending;
  document["jobs_unreadable"] = page.jobs_unreadable;
  Json jobs = Json::array();
  for (const JobFacts& job : page.jobs) jobs.push_back(json(job));
  document["job_list"] = std::move(jobs);
  Json servers = Json::array();
  for (const ServerFacts& server : page.servers_offline) {
    servers.push_back(
        {{"id", server.id}, {"name", server.name}, {"app_type", server.app_type}, {"status", server.status}});
  }
  document["server_list_offline"] = std::move(servers);
  document["overrides_to_correct"] = page.overrides;
  Json collections = Json::array();
  for (const CollectionFacts& collection : page.collections) collections.push_back(json(collection));
  document["collections"] = std::move(collections);
  return text(document);
}

}  // namespace sqlbak_gateway::gateway

#include "simulator/control.h"

#include "simulator/endpoints.h"
#include "simulator/query.h"
#include "simulator/truth.h"
#include "sqlbak_gateway/base/text.h"

#include <chrono>

namespace sqlbak_gateway::simulator {
namespace {

using nlohmann::json;
using Milliseconds = std::chrono::milliseconds;

Reply text_reply(std::string text) {
  return {200, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text), {}};
}

Reply json_reply(const json& document) {
  return {200,
          {{"Content-Type", "application/json"}},
          document.dump(1, ' ', false, json::error_handler_t::replace) + "\n",
          {}};
}

Reply done() {
  return json_reply({{"done", true}});
}
Reply reply_of(const Result<void>& result) {
  return result.ok() ? done() : error_reply(400, result.error().message);
}

std::optional<Milliseconds> duration(const Query& query, std::string_view name) {
  const std::optional<std::string> text = query.get(name);
  if (!text) return std::nullopt;
  const Result<Duration> parsed = parse_duration(*text);
  if (!parsed) return std::nullopt;
  return std::chrono::duration_cast<Milliseconds>(*parsed);
}

// "on" or "off" into `value`, where the query has it.
void take_switch(const Query& query, std::string_view name, bool& value) {
  if (const auto text = query.get(name)) value = *text == "on";
}

// "on": from now; "off": not at all.
void take_since(const Query& query, std::string_view name, SystemTime now, std::optional<SystemTime>& value) {
  const auto text = query.get(name);
  if (!text) return;
  if (*text == "on")
    value = now;
  else
    value.reset();
}

template <typename Number>
void take_number(const Query& query, std::string_view name, Number& value) {
  if (const auto number = query.number(name)) value = static_cast<Number>(*number);
}

Reply clock(Simulator& simulator, const Query& query, bool post) {
  if (post) {
    const auto by = duration(query, "advance");
    if (query.get("advance") && !by) return error_reply(400, "advance is a duration, like 1h30m");
    if (const auto speed = query.number("speed")) simulator.set_speed(static_cast<double>(*speed));
    if (by) simulator.advance(*by);
  }
  const SystemTime now = simulator.now();
  return json_reply({{"now", format_time(now)}, {"now_ms", now.time_since_epoch().count()}});
}

Reply faults(Simulator& simulator, const Request& request, const Query& query) {
  if (request.method == "DELETE") {
    if (const auto number = query.number("number"))
      simulator.remove_fault(static_cast<std::uint64_t>(*number));
    else
      simulator.clear_faults();
    return done();
  }
  if (request.method == "POST") {
    const Result<std::uint64_t> number =
        simulator.add_fault(query.get("rule").value_or(std::string(request.body)));
    if (!number) return error_reply(400, number.error().message);
    return json_reply({{"number", *number}});
  }
  json list = json::array();
  for (const Faults::Count& count : simulator.fault_counts()) {
    list.push_back({{"number", count.number},
                    {"rule", count.text},
                    {"matched", count.matched},
                    {"struck", count.struck}});
  }
  return json_reply(list);
}

Reply knobs(Simulator& simulator, const Query& query) {
  Knobs changed = simulator.knobs();
  for (const auto& [name, value] : query.all()) {
    if (const Result<void> set = set_knob(changed, std::string(name).append("=").append(value)); !set)
      return error_reply(400, set.error().message);
  }
  simulator.set_knobs(changed);
  return done();
}

Reply requests(Simulator& simulator, const Request& request, const Query& query) {
  if (request.method == "DELETE") {
    simulator.forget_requests();
    return done();
  }
  const std::vector<LoggedRequest> log = simulator.requests();
  const auto limit = static_cast<std::size_t>(std::max<std::int64_t>(0, query.number("limit").value_or(100)));
  json list = json::array();
  for (std::size_t i = log.size() - std::min(limit, log.size()); i < log.size(); ++i) {
    list.push_back({{"at", format_time(log[i].at)},
                    {"account", log[i].account},
                    {"endpoint", log[i].endpoint},
                    {"target", log[i].target},
                    {"status", log[i].status}});
  }
  return json_reply(list);
}

Reply counts(const Simulator& simulator) {
  json tree = json::object();
  for (const auto& [who, count] : simulator.request_counts()) tree[who.first][who.second] = count;
  return json_reply(tree);
}

Reply accounts(Simulator& simulator) {
  return simulator.with([](World& world) {
    json list = json::array();
    for (const auto& [name, account] : world.accounts()) {
      json servers = json::array();
      for (const auto& [id, server] : account->servers()) {
        servers.push_back({{"id", id}, {"name", server.name}, {"status", server.status}});
      }
      json jobs = json::array();
      for (const auto& [id, job] : account->jobs()) {
        jobs.push_back(
            {{"id", id}, {"name", job.name}, {"server_id", job.server_id}, {"runs", job.runs.size()}});
      }
      list.push_back({{"name", name}, {"token", account->token}, {"servers", servers}, {"jobs", jobs}});
    }
    return json_reply(list);
  });
}

Result<void> change_account(Account& account, const Query& query) {
  if (const auto token = query.get("token")) account.token = *token;
  if (const auto email = query.get("email")) account.email = *email;
  take_switch(query, "suspended", account.suspended);
  if (const auto refused = query.get("refused")) {
    if (*refused == "off")
      account.refused.reset();
    else
      account.refused = static_cast<int>(query.number("refused").value_or(401));
  }
  return {};
}

Result<void> change_server(Account& account, const Query& query) {
  const std::string name = query.get_or("server", "");
  const Id id = account.server_named(name);
  if (query.get("add")) {
    account.add_server({.name = *query.get("add")});
    return {};
  }
  if (id == 0) return Error{"the account has no server \"" + name + "\""};
  if (const auto status = query.get("status")) account.server(id).status = *status;
  if (const auto renamed = query.get("rename")) account.server(id).name = *renamed;
  if (query.get("remove")) account.remove_server(id);
  return {};
}

Result<void> change_job(Account& account, const Query& query) {
  const std::string name = query.get_or("job", "");
  const Id id = account.job_named(name);
  if (id == 0) return Error{"the account has no job \"" + name + "\""};
  Job& job = account.job(id);
  take_switch(query, "enabled", job.enabled);
  take_switch(query, "enforces_retention", job.enforces_retention);
  take_since(query, "broken", account.now(), job.broken_since);
  take_since(query, "stopped", account.now(), job.stopped_since);
  if (const auto database = query.get("broken_database")) job.broken_database = *database;
  for (Destination& destination : job.destinations) {
    take_number(query, "full_days", destination.full_days);
    take_number(query, "inc_days", destination.inc_days);
  }
  if (const auto renamed = query.get("rename")) job.name = *renamed;
  if (query.get("remove")) account.remove_job(id);
  return {};
}

Result<void> add_run(Account& account, const Query& query) {
  const std::string name = query.get_or("job", "");
  const Id job = account.job_named(name);
  if (job == 0) return Error{"the account has no job \"" + name + "\""};
  HandRun run;
  run.type = query.get_or("type", run.type);
  run.status = query.get_or("status", run.status);
  run.databases = {query.get_or("database", account.jobs().at(job).databases.front())};
  take_switch(query, "deleted", run.deleted);
  run.duration = Milliseconds(0);
  account.add_run(job, account.now() - duration(query, "age").value_or(Milliseconds(0)), run);
  return {};
}

Reply change(Simulator& simulator, const Query& query, Result<void> (*apply)(Account&, const Query&)) {
  return simulator.with([&](World& world) {
    Account* account = world.find(query.get_or("account", ""));
    if (account == nullptr) return error_reply(404, "there is no such account");
    return reply_of(apply(*account, query));
  });
}

Reply truth(Simulator& simulator, const Query& query) {
  const Knobs knobs_now = simulator.knobs();
  return simulator.with([&](World& world) {
    const Account* account = world.find(query.get_or("account", ""));
    if (account == nullptr) return error_reply(404, "there is no such account");
    Question question;
    const Milliseconds at(query.number("at_ms").value_or(account->now().time_since_epoch().count()));
    question.collected_at = SystemTime(at);
    question.answered_at = SystemTime(Milliseconds(query.number("answered_ms").value_or(at.count())));
    question.lookback = duration(query, "lookback").value_or(question.lookback);
    Series series = published_truth(*account, knobs_now, question);
    series.merge(own_truth(*account, knobs_now, question));
    return text_reply(to_text(series));
  });
}

}  // namespace

std::string_view control_help() {
  return R"(GET    /_simulator/clock                     the simulated time
POST   /_simulator/clock?advance=1h          lets time pass; speed=60 changes its pace
GET    /_simulator/faults                    the rules in force, and how often they matched and struck
POST   /_simulator/faults?rule=RULE          adds a rule (or send it as the body); answers its number
DELETE /_simulator/faults[?number=N]         takes one rule back, or all
POST   /_simulator/knobs?NAME=VALUE&…        sets knobs
GET    /_simulator/requests[?limit=100]      the last API requests; DELETE forgets them
GET    /_simulator/counts                    API requests by account and endpoint
GET    /_simulator/accounts                  accounts with tokens, servers and jobs
GET    /_simulator/truth?account=A           the metrics that A must show (lookback=168h, at_ms=, answered_ms=)
POST   /_simulator/account?account=A&…       token=, email=, suspended=on|off, refused=401|403|off
POST   /_simulator/server?account=A&server=NAME&…  status=offline, rename=, remove=on; or add=NAME
POST   /_simulator/job?account=A&job=NAME&…  enabled=, stopped=, broken=, enforces_retention=on|off, broken_database=,
                                             full_days=, inc_days=, rename=, remove=on
POST   /_simulator/run?account=A&job=NAME&…  adds a finished run: type=database_full, status=failed, age=1h, database=,
                                             deleted=on
)";
}

Reply answer_control(Simulator& simulator, const Request& request) {
  const std::string_view path =
      request.target.substr(0, request.target.find('?')).substr(kControlPrefix.size());
  const Query query(request.target);
  const bool post = request.method == "POST";
  if (path.empty() || path == "/") return text_reply(std::string(control_help()));
  if (path == "/clock") return clock(simulator, query, post);
  if (path == "/faults") return faults(simulator, request, query);
  if (path == "/requests") return requests(simulator, request, query);
  if (path == "/counts") return counts(simulator);
  if (path == "/accounts") return accounts(simulator);
  if (path == "/truth") return truth(simulator, query);
  if (post && path == "/knobs") return knobs(simulator, query);
  if (post && path == "/account") return change(simulator, query, change_account);
  if (post && path == "/server") return change(simulator, query, change_server);
  if (post && path == "/job") return change(simulator, query, change_job);
  if (post && path == "/run") return change(simulator, query, add_run);
  return error_reply(404, "GET /_simulator/ lists what there is");
}

}  // namespace sqlbak_gateway::simulator

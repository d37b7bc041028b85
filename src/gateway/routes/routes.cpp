#include "sqlbak_gateway/gateway/routes.h"

#include "gateway/routes/handlers.h"
#include "gateway/routes/responses.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sqlbak_gateway::gateway {
namespace {

// Who may ask for a path.
enum class Audience {
  everybody,  // without credentials
  callers,    // with credentials; they see what they may see
  operators,  // with the right to see everything
  machine,    // operators; without access control, only from this machine
};

struct Path {
  std::string_view path;  // one that ends with '/' (but for "/") stands for everything below it
  std::string_view methods;
  Audience audience;
  http::Urgency urgency;
  Handler handler;
};

constexpr std::string_view kRead = "GET, HEAD";

using enum Audience;
using enum http::Urgency;
// The first row that matches counts.
constexpr std::array<Path, 11> kPaths = {{
    {"/", kRead, callers, urgent, answer_overview},
    {"/accounts.json", kRead, callers, urgent, answer_overview_json},
    {"/accounts/", kRead, callers, urgent, answer_account},
    {"/assets/", kRead, callers, urgent, answer_asset},
    {"/probe", kRead, callers, ordinary, answer_probe},
    {"/metrics", kRead, operators, urgent, answer_metrics},
    {"/sd", kRead, callers, ordinary, answer_discovery},
    {"/config", kRead, machine, ordinary, answer_config},
    {"/-/healthy", kRead, everybody, immediate, answer_healthy},
    {"/-/ready", kRead, everybody, immediate, answer_ready},
    {"/-/reload", "POST", machine, ordinary, answer_reload},
}};

// The row of a request's path; null if there is none.
const Path* find(std::string_view path) {
  const auto found = std::find_if(kPaths.begin(), kPaths.end(), [&](const Path& row) {
    const bool below = row.path.size() > 1 && row.path.back() == '/';
    return below ? path.size() > row.path.size() && path.starts_with(row.path) : path == row.path;
  });
  return found == kPaths.end() ? nullptr : &*found;
}

bool allows(const Path& path, std::string_view method) {
  return path.methods == method || (path.methods == kRead && (method == "GET" || method == "HEAD"));
}

http::Urgency urgency_in(const Generation& now, std::string_view path) {
  const Path* const row = find(path);
  if (!row) return ordinary;
  // In the single-account mode /metrics waits as a probe does.
  return row->handler == answer_metrics && now.single ? ordinary : row->urgency;
}

}  // namespace

std::string_view path_label(std::string_view path) {
  const Path* const row = find(path);
  return row ? row->path : "other";
}

Routes::Routes(Gateway& gateway, const Clock& clock, Reload reload)
    : gateway_(gateway),
      clock_(clock),
      reload_(std::move(reload)),
      started_(clock.steady_now()),
      response_cache_(std::make_unique<ResponseCache>()) {}

Routes::~Routes() = default;

void Routes::tick() {
  response_cache_->expire(clock_.system_now());
}

http::Urgency Routes::urgency(std::string_view path) const {
  return urgency_in(*gateway_.generation(), path);
}

http::Response Routes::answer(const http::Request& request) {
  return compressed(uncompressed_answer(request), request);
}

http::Response Routes::uncompressed_answer(const http::Request& request) {
  // Checking a password takes time, and Prometheus waits for that too.
  const SteadyTime arrived = clock_.steady_now();
  const auto now = gateway_.generation();
  const Path* const path = find(request.path);
  const auto answer = [&](const Caller& caller) {
    if (!allows(*path, request.method)) return http::method_not_allowed(path->methods);
    return path->handler({.request = request,
                          .now = *now,
                          .caller = caller,
                          .arrived = arrived,
                          .gateway = gateway_,
                          .clock = clock_,
                          .started = started_,
                          .response_cache = *response_cache_,
                          .reload = reload_});
  };
  if (path && path->audience == everybody) return answer(Caller());

  const Access::Verdict verdict = now->access->check(request, urgency_in(*now, request.path));
  if (!verdict.caller) return access_denied(*now->access, verdict);
  const Caller& caller = *verdict.caller;
  if (!path) return no_such_page();
  if (path->audience != callers && !caller.operator_rights) {
    return http::text_response(403, "this needs an access entry with accounts = [\"*\"]\n");
  }
  if (path->audience == machine && !now->access->enabled() && !request.peer_is_loopback) {
    return http::text_response(403, "without [[access]] entries this is answered to this machine only\n");
  }
  return answer(caller);
}

}  // namespace sqlbak_gateway::gateway

#include "sqlbak/endpoints.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>

namespace sqlbak_gateway::sqlbak {
namespace {

std::string segment(std::string_view id) {
  if (id == ".") return "%2E";
  if (id == "..") return "%2E%2E";
  return percent_encoded(id);
}

std::string page_query(std::uint32_t page) {
  return "page=" + std::to_string(page) + "&page_size=" + std::to_string(kPageSize);
}

}  // namespace

std::string me_target() {
  return "/me";
}

std::string servers_target(std::uint32_t page) {
  return "/servers?" + page_query(page);
}

std::string jobs_target(std::uint32_t page) {
  return "/jobs?" + page_query(page);
}

std::string settings_target(std::string_view job_id) {
  return "/jobs/" + segment(job_id) + "/settings";
}

std::string runs_target(std::string_view job_id, SystemTime started_after, std::uint32_t page) {
  const auto epoch_ms = std::max<SystemTime::rep>(0, started_after.time_since_epoch().count());
  return "/jobruns?job_id=" + percent_encoded(job_id) + "&started_after=" + std::to_string(epoch_ms) + '&' +
         page_query(page);
}

std::string run_target(std::string_view run_id) {
  return "/jobruns/" + segment(run_id);
}

}  // namespace sqlbak_gateway::sqlbak

#include "sqlbak_gateway/upstream/retry.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

namespace sqlbak_gateway::upstream {
namespace {

constexpr Duration kFirstBackoff = std::chrono::milliseconds(500);
constexpr Duration kLongestBackoff = std::chrono::seconds(30);

Outcome failed(FailureReason reason, std::string message) {
  return {Outcome::Kind::failed, false, std::nullopt, reason, std::move(message)};
}

std::string answered_with(int status) {
  return "the API answered " + std::to_string(status);
}

Outcome judge_failure(const Completion::Failure& failure) {
  if (failure.lasting) return failed(failure.reason, failure.message);
  return {Outcome::Kind::transient, failure.reason == FailureReason::timeout, std::nullopt, failure.reason,
          failure.message};
}

Outcome judge_status(int status, std::string_view body) {
  if (status == 401 || (status == 403 && trimmed(body).starts_with('{'))) {
    return failed(FailureReason::auth,
                  answered_with(status) +
                      ": it refuses the token; check that the token is right and has not been revoked");
  }
  if (status == 403) {
    return failed(
        FailureReason::upstream_error,
        "something before the API blocked the request (403 without the API's JSON); check the firewalls "
        "and proxies between this machine and the API");
  }
  if (status >= 300 && status < 400) {
    return failed(FailureReason::upstream_error,
                  answered_with(status) +
                      ": redirects are not followed, so that the token goes nowhere "
                      "else; check api_url");
  }
  if (status >= 500 && status != 501) {
    return {Outcome::Kind::transient, false, std::nullopt, FailureReason::upstream_error,
            answered_with(status)};
  }
  return failed(FailureReason::upstream_error, answered_with(status) + ", which was not expected");
}

std::optional<unsigned> month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), name);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<unsigned>(found - kMonths.begin()) + 1;
}

}  // namespace

Outcome judge(const Completion& completion, SystemTime now) {
  if (completion.failure) return judge_failure(*completion.failure);
  const int status = completion.status;
  if (status == 200 || status == 404) return {};

  if (status == 429 || status == 503) {
    std::optional<Duration> retry_after;
    if (completion.retry_after) {
      retry_after = parse_retry_after(*completion.retry_after, completion.server_date.value_or(now));
    }
    if (status == 429 || retry_after) {
      return {Outcome::Kind::refused, false, retry_after, FailureReason::rate_limited,
              answered_with(status) +
                  ": it wants to be asked less often; lower requests_per_second or "
                  "max_concurrent_requests if this goes on"};
    }
  }
  return judge_status(status, completion.body);
}

std::optional<Duration> parse_retry_after(std::string_view text, SystemTime server_now) {
  text = trimmed(text);
  if (text.empty()) return std::nullopt;
  if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    Duration wait{};
    for (const char digit : text) {
      wait = wait * 10 + std::chrono::seconds(digit - '0');
      if (wait >= kLongestRetryAfter) return kLongestRetryAfter;
    }
    return wait;
  }
  const std::optional<SystemTime> date = parse_http_date(text);
  if (!date) return std::nullopt;
  // Compared in milliseconds: a date far away does not fit into nanoseconds.
  const auto wait = std::clamp(*date - server_now, std::chrono::milliseconds::zero(),
                               std::chrono::floor<std::chrono::milliseconds>(kLongestRetryAfter));
  return wait;
}

std::optional<SystemTime> parse_http_date(std::string_view text) {
  if (text.size() > 40) return std::nullopt;
  const std::string line(trimmed(text));
  unsigned day = 0;
  int year = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int length = 0;
  std::array<char, 4> month{};
  const auto whole = [&] { return length > 0 && static_cast<std::size_t>(length) == line.size(); };
  const auto read = [&](int fields) { return fields == 6 && whole(); };

  if (!read(std::sscanf(line.c_str(), "%*3[A-Za-z], %2u %3s %4d %2d:%2d:%2d GMT%n", &day, month.data(), &year,
                        &hour, &minute, &second, &length)) &&
      !read(std::sscanf(line.c_str(), "%*3[A-Za-z] %3s %2u %2d:%2d:%2d %4d%n", month.data(), &day, &hour,
                        &minute, &second, &year, &length))) {
    if (!read(std::sscanf(line.c_str(), "%*9[A-Za-z], %2u-%3s-%2d %2d:%2d:%2d GMT%n", &day, month.data(),
                          &year, &hour, &minute, &second, &length))) {
      return std::nullopt;
    }
    year += year < 70 ? 2000 : 1900;
  }

  const std::optional<unsigned> month_number = month_of(month.data());
  if (!month_number || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{*month_number},
                                         std::chrono::day{day}};
  if (year < 1900 || !date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

Duration backoff(std::uint32_t retry, double fraction) {
  const Duration ceiling = retry >= 6 ? kLongestBackoff : kFirstBackoff * (1u << retry);
  return std::chrono::duration_cast<Duration>(std::min(ceiling, kLongestBackoff) * fraction);
}

}  // namespace sqlbak_gateway::upstream

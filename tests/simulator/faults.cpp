#include "simulator/faults.h"

#include "sqlbak_gateway/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <nlohmann/json.hpp>

namespace sqlbak_gateway::simulator {
namespace {

using nlohmann::json;

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_duration(std::string_view text, Duration& duration) {
  const Result<Duration> parsed = parse_duration(text);
  if (parsed) duration = *parsed;
  return parsed.ok();
}

bool read_instant(std::string_view text, SystemTime now, SystemTime& instant) {
  Duration after{};
  if (!read_duration(text, after)) return false;
  instant = now + std::chrono::duration_cast<std::chrono::milliseconds>(after);
  return true;
}

struct NamedGarbage {
  std::string_view name;
  Garbage garbage;
};
constexpr std::array kGarbage = {NamedGarbage{"malformed", Garbage::malformed},
                                 NamedGarbage{"wrong_types", Garbage::wrong_types},
                                 NamedGarbage{"huge_numbers", Garbage::huge_numbers},
                                 NamedGarbage{"deep", Garbage::deep},
                                 NamedGarbage{"invalid_utf8", Garbage::invalid_utf8},
                                 NamedGarbage{"truncated", Garbage::truncated},
                                 NamedGarbage{"empty", Garbage::empty},
                                 NamedGarbage{"html", Garbage::html},
                                 NamedGarbage{"null", Garbage::null},
                                 NamedGarbage{"no_data", Garbage::no_data}};

bool read_garbage(std::string_view text, Garbage& garbage) {
  const auto* found = std::ranges::find(kGarbage, text, &NamedGarbage::name);
  if (found != kGarbage.end()) garbage = found->garbage;
  return found != kGarbage.end();
}

bool read_stop(std::string_view text, Wire::Ending ending, Wire& wire) {
  if (text == "before")
    wire.stop = Wire::Stop::before_answer;
  else if (text == "head")
    wire.stop = Wire::Stop::in_head;
  else if (text == "body")
    wire.stop = Wire::Stop::in_body;
  else
    return false;
  wire.ending = ending;
  return true;
}

struct Key {
  std::string_view name;
  std::string_view expects;
  std::string_view help;
  bool (*set)(Fault&, std::string_view value, SystemTime now);
};

constexpr std::string_view kDuration = "DURATION";
constexpr std::string_view kNumber = "NUMBER";
constexpr std::string_view kPattern = "PATTERN";
constexpr std::string_view kPlace = "before|head|body";
using Text = std::string_view;

constexpr std::array
    kKeys =
        {
            Key{"endpoint", kPattern, "strikes me, servers, jobs, settings, jobruns, jobrun_details, …",
                [](Fault& f, Text v, SystemTime) { return f.endpoint = v, true; }},
            Key{"account", kPattern, "strikes these accounts",
                [](Fault& f, Text v, SystemTime) { return f.account = v, true; }},
            Key{"path", kPattern, "strikes these paths (with query), like /jobruns/10017",
                [](Fault& f, Text v, SystemTime) { return f.path = v, true; }},
            Key{"from", kDuration, "begins so long after now, in the simulator's time",
                [](Fault& f, Text v, SystemTime now) { return read_instant(v, now, f.from); }},
            Key{"until", kDuration, "ends so long after now, in the simulator's time",
                [](Fault& f, Text v, SystemTime now) { return read_instant(v, now, f.until); }},
            Key{"skip", kNumber, "leaves the first requests alone",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.skip); }},
            Key{"first", kNumber, "strikes only so many requests",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.first); }},
            Key{"every", kNumber, "strikes every n-th request",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.every) && f.every > 0; }},
            Key{"probability", "0…1", "strikes by chance",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.probability); }},
            Key{"latency", kDuration, "answers later",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.latency); }},
            Key{"jitter", kDuration, "and later still, at random, up to this",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.jitter); }},
            Key{"status", "CODE", "answers with this status",
                [](Fault& f, Text v, SystemTime) {
                  int status = 0;
                  if (!read_number(v, status) || status < 200 || status > 599) return false;
                  f.status = status;
                  return true;
                }},
            Key{"retry_after", kDuration, "with a Retry-After in seconds",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.retry_after.emplace()); }},
            Key{"retry_after_date", kDuration, "with a Retry-After as a date",
                [](Fault& f, Text v, SystemTime) {
                  f.retry_after_date = true;
                  return read_duration(v, f.retry_after.emplace());
                }},
            Key{"redirect", "URL", "answers 302 with this Location",
                [](Fault& f, Text v, SystemTime) { return f.redirect = v, true; }},
            Key{"body",
                "malformed|wrong_types|huge_numbers|deep|invalid_utf8|truncated|empty|html|null|no_data",
                "spoils the JSON", [](Fault& f, Text v, SystemTime) { return read_garbage(v, f.garbage); }},
            Key{"pad", "SIZE", "puts blanks after the JSON, like 20MiB",
                [](Fault& f, Text v, SystemTime) {
                  const Result<std::uint64_t> size = parse_size(v);
                  if (size) f.pad = *size;
                  return size.ok();
                }},
            Key{"drip_head", kDuration, "waits before each byte of the head",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.wire.header_byte_gap); }},
            Key{"drip_body", kDuration, "waits before each byte of the body",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.wire.body_byte_gap); }},
            Key{"close", kPlace,
                "closes the connection there (before the answer, or half through head or body)",
                [](Fault& f, Text v, SystemTime) { return read_stop(v, Wire::Ending::close, f.wire); }},
            Key{"reset", kPlace, "resets the connection there",
                [](Fault& f, Text v, SystemTime) { return read_stop(v, Wire::Ending::reset, f.wire); }},
            Key{"hang", kPlace, "says nothing more from there on, and stays connected",
                [](Fault& f, Text v, SystemTime) { return read_stop(v, Wire::Ending::silence, f.wire); }},
            Key{"extra", kNumber, "sends more bytes than Content-Length says",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.wire.extra_bytes); }},
            Key{"interim", "CODE", "sends a 1xx answer first; may be repeated",
                [](Fault& f, Text v, SystemTime) {
                  return read_number(v, f.wire.interim.emplace_back()) && f.wire.interim.back() / 100 == 1;
                }},
            Key{"chunked", "on", "sends the body in chunks",
                [](Fault& f, Text v, SystemTime) { return f.wire.chunked = v == "on"; }},
            Key{"gzip", "on", "compresses the body, asked or not",
                [](Fault& f, Text v, SystemTime) { return f.wire.gzip = v == "on"; }},
            Key{"endless", "on", "has_more stays true, and the last page comes again and again",
                [](Fault& f, Text v, SystemTime) { return f.endless = v == "on"; }},
            Key{"shift", "[-]NUMBER", "rows that slip in before each further page, or out of it",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.shift); }},
            Key{"late", kDuration, "runs are listed only so long after their start",
                [](Fault& f, Text v, SystemTime) { return read_duration(v, f.late); }},
            Key{"rate", kNumber, "requests a second an account may make; beyond: 429 with Retry-After",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.rate) && f.rate > 0; }},
            Key{"burst", kNumber, "and how many at once (1)",
                [](Fault& f, Text v, SystemTime) { return read_number(v, f.burst) && f.burst >= 1; }},
};

// Every scalar becomes one of another type, lists become objects, and objects keep their shape.
json with_wrong_types(const json& value) {
  if (value.is_object()) {
    json out = json::object();
    for (const auto& [member, inner] : value.items()) {
      out[member] = inner.is_array() ? json{{"0", inner}} : with_wrong_types(inner);
    }
    return out;
  }
  if (value.is_string()) return 17;
  if (value.is_boolean()) return json::array({value});
  if (value.is_number()) return json{{"value", value}};
  return "null";
}

std::string with_numbers(const std::string& body, std::string_view number) {
  std::string out;
  bool in_text = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] == '"' && (i == 0 || body[i - 1] != '\\')) in_text = !in_text;
    if (in_text || body[i] < '0' || body[i] > '9') {
      out += body[i];
      continue;
    }
    while (i + 1 < body.size() && body[i + 1] >= '0' && body[i + 1] <= '9') ++i;
    out += number;
  }
  return out;
}

std::string with_invalid_utf8(const std::string& body) {
  std::string out;
  for (std::size_t i = 0; i < body.size(); ++i) {
    out += body[i];
    if (body[i] == ':' && i + 1 < body.size() && body[i + 1] == '"') out += "\"\xc3\x28\xff\xed\xa0\x80", ++i;
  }
  return out;
}

}  // namespace

Result<Fault> parse_fault(std::string_view text, SystemTime now) {
  Fault fault;
  fault.text = text;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trimmed(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const auto* key = std::ranges::find(kKeys, name, &Key::name);
    if (key == kKeys.end()) {
      return Error{"a fault has no \"" + std::string(name) + "\"; --help lists what it has"};
    }
    if (equals == part.npos || !key->set(fault, part.substr(equals + 1), now)) {
      return Error{"\"" + std::string(part) + "\" is none: write " + std::string(name) + "=" +
                   std::string(key->expects)};
    }
  }
  return fault;
}

std::vector<std::string> fault_help() {
  std::vector<std::string> lines;
  for (const Key& key : kKeys) {
    std::string line = std::string(key.name) + "=" + std::string(key.expects);
    line.resize(std::max<std::size_t>(line.size() + 1, 32), ' ');
    lines.push_back(line.append(key.help));
  }
  return lines;
}

std::uint64_t Faults::add(Fault fault) {
  rules_[next_number_].fault = std::move(fault);
  return next_number_++;
}

void Faults::remove(std::uint64_t number) {
  rules_.erase(number);
}
void Faults::clear() {
  rules_.clear();
}

std::vector<const Fault*> Faults::striking(const Target& target, SystemTime world_now) {
  std::vector<const Fault*> struck;
  for (auto& [number, rule] : rules_) {
    const Fault& fault = rule.fault;
    if (world_now < fault.from || world_now >= fault.until ||
        !glob_matches(fault.endpoint, target.endpoint) || !glob_matches(fault.account, target.account) ||
        !glob_matches(fault.path, target.path)) {
      continue;
    }
    const std::uint64_t before = rule.matched++;
    if (before < fault.skip || rule.struck >= fault.first ||
        (before - fault.skip) % fault.every != fault.every - 1 ||
        (fault.probability < 1 && !random_.happens(fault.probability))) {
      continue;
    }
    ++rule.struck;
    struck.push_back(&fault);
  }
  return struck;
}

std::optional<Duration> Faults::over_rate(const Fault& fault, std::string_view account, SteadyTime now) {
  const auto [place, fresh] = buckets_.try_emplace({&fault, std::string(account)}, Bucket{fault.burst, now});
  Bucket& bucket = place->second;
  bucket.tokens = std::min(fault.burst, bucket.tokens + to_seconds(now - bucket.filled) * fault.rate);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>((1 - bucket.tokens) / fault.rate));
}

std::vector<Faults::Count> Faults::counts() const {
  std::vector<Count> counts;
  for (const auto& [number, rule] : rules_)
    counts.push_back({number, rule.matched, rule.struck, rule.fault.text});
  return counts;
}

std::string spoilt(Garbage garbage, const std::string& body) {
  constexpr std::size_t kDepth = 100'000;
  switch (garbage) {
    case Garbage::none:
      return body;
    case Garbage::malformed:
      return body + "}, oops";
    case Garbage::wrong_types:
      return with_wrong_types(json::parse(body, nullptr, false)).dump();
    case Garbage::huge_numbers:
      return with_numbers(body, "123456789012345678901234567890e300");
    case Garbage::deep:
      return "{\"data\":" + std::string(kDepth, '[') + std::string(kDepth, ']') + "}";
    case Garbage::invalid_utf8:
      return with_invalid_utf8(body);
    case Garbage::truncated:
      return body.substr(0, body.size() / 2);
    case Garbage::empty:
      return "";
    case Garbage::html:
      return "<!DOCTYPE html><title>We'll be right back</title><p>Maintenance";
    case Garbage::null:
      return "null";
    case Garbage::no_data:
      return "{\"data\":null}";
  }
  return body;
}

}  // namespace sqlbak_gateway::simulator

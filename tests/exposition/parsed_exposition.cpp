#include "exposition/parsed_exposition.h"

#include "sqlbak_gateway/base/text.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace sqlbak_gateway::testing {
namespace {

// Takes `prefix` off `text`; false when it does not start with it.
bool take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view take_until(std::string_view& text, std::string_view any_of) {
  const std::string_view taken = text.substr(0, text.find_first_of(any_of));
  text.remove_prefix(taken.size());
  return taken;
}

// The quoted value at the start of `text`, unescaped.
std::optional<std::string> take_value(std::string_view& text) {
  if (!take(text, "\"")) return std::nullopt;
  std::string value;
  while (!text.empty() && text.front() != '"') {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '\\') {
      if (text.empty() || std::string_view("\\\"n").find(text.front()) == std::string_view::npos)
        return std::nullopt;
      c = text.front() == 'n' ? '\n' : text.front();
      text.remove_prefix(1);
    }
    value += c;
  }
  if (!take(text, "\"")) return std::nullopt;
  return value;
}

std::optional<double> number(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::pair<Series, double>> sample(std::string_view line) {
  std::pair<Series, double> sample;
  sample.first.name = take_until(line, "{ ");
  if (take(line, "{")) {
    while (!take(line, "}")) {
      if (!sample.first.labels.empty() && !take(line, ",")) return std::nullopt;
      const std::string label(take_until(line, "="));
      take(line, "=");
      const auto value = take_value(line);
      if (!value || !sample.first.labels.emplace(label, *value).second) return std::nullopt;
    }
  }
  if (!take(line, " ")) return std::nullopt;
  const auto value = number(line);
  if (!value) return std::nullopt;
  sample.second = *value;
  return sample;
}

// The family a sample belongs to: histograms have their parts.
std::string family_of(const std::string& name, const ParsedExposition& parsed) {
  for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
    if (!name.ends_with(part)) continue;
    std::string base = name.substr(0, name.size() - part.size());
    const auto type = parsed.types.find(base);
    if (type != parsed.types.end() && type->second == "histogram") return base;
  }
  return name;
}

}  // namespace

double ParsedExposition::value(const std::string& name, const Labels& labels) const {
  const auto found = samples.find({name, labels});
  return found == samples.end() ? std::numeric_limits<double>::quiet_NaN() : found->second;
}

ParsedExposition parse_exposition(std::string_view text) {
  ParsedExposition parsed;
  const auto refuse = [&](std::string_view what, std::string_view line) {
    parsed.fault = std::string(what) + std::string(line);
    return parsed;
  };
  if (!is_valid_utf8(text)) return refuse("the text is not valid UTF-8", "");
  if (!text.empty() && !text.ends_with('\n')) return refuse("the last line does not end", "");
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    std::string_view rest = line;
    if (take(rest, "# HELP ")) {
      const std::string name(take_until(rest, " "));
      take(rest, " ");
      if (!parsed.helps.emplace(name, rest).second) return refuse("a second HELP: ", line);
    } else if (take(rest, "# TYPE ")) {
      const std::string name(take_until(rest, " "));
      take(rest, " ");
      if (!parsed.types.emplace(name, rest).second) return refuse("a second TYPE: ", line);
      parsed.families.push_back(name);
    } else {
      const auto read = sample(line);
      if (!read) return refuse("not a sample: ", line);
      const std::string family = family_of(read->first.name, parsed);
      if (parsed.families.empty() || parsed.families.back() != family)
        return refuse("outside its family: ", line);
      if (!parsed.helps.contains(family)) return refuse("without HELP: ", line);
      if (!parsed.samples.insert(*read).second) return refuse("there twice: ", line);
    }
  }
  return parsed;
}

}  // namespace sqlbak_gateway::testing

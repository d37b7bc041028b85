// Logging: one line for each event, with a fixed message and named fields, so that logs can be searched and
// counted.
//
//   log.warn("token file cannot be read", {{"account", name}, {"path", path}});
//
// Values are escaped and made valid UTF-8, so any value stays on its line. Secrets have no conversion to a
// field, so they cannot be logged.
// Safe to call from any thread; one call writes one whole line.
#pragma once

#include "sqlbak_gateway/base/clock.h"
#include "sqlbak_gateway/base/mutex.h"
#include "sqlbak_gateway/base/result.h"

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace sqlbak_gateway {

enum class LogLevel { debug, info, warn, error };
enum class LogFormat { logfmt, json };

// "debug", "info", "warn" or "error"; anything else is an Error that lists them.
Result<LogLevel> parse_log_level(std::string_view text);
// "logfmt" or "json"; anything else is an Error that lists them.
Result<LogFormat> parse_log_format(std::string_view text);

struct LogField {
  std::string_view key;
  std::string value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  LogField(std::string_view k, std::integral auto v) : key(k), value(std::to_string(v)) {}
  LogField(std::string_view k, std::floating_point auto v) : key(k), value(std::to_string(v)) {}
};

// Where lines go. Resource type; must outlive the Loggers that write to it.
class LogSink {
 public:
  LogSink() = default;
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;
  virtual ~LogSink() = default;
  // `line` is complete and ends in a line break. Called from any thread.
  virtual void write(std::string_view line) = 0;
};

// Writes to standard error, unbuffered.
class StderrSink final : public LogSink {
 public:
  void write(std::string_view line) override;
};

class Logger {
 public:
  // The clock stamps the lines. Both must outlive the Logger.
  Logger(LogSink& sink, const Clock& clock, LogLevel level, LogFormat format)
      : sink_(sink), clock_(clock), level_(level), format_(format) {}
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;

  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view message, Fields fields = {}) const { write(LogLevel::debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(LogLevel::info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { write(LogLevel::warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(LogLevel::error, message, fields); }

  bool enabled(LogLevel level) const { return level >= level_; }

 private:
  void write(LogLevel level, std::string_view message, Fields fields) const;

  LogSink& sink_;
  const Clock& clock_;
  LogLevel level_;
  LogFormat format_;
};

}  // namespace sqlbak_gateway

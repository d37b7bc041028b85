#include "gateway/page/document.h"

#include "gateway/page/page_assets.h"
#include "gateway/page/words.h"
#include "sqlbak_gateway/base/text.h"

#include <chrono>

namespace sqlbak_gateway::gateway {
namespace {

std::string iso(SystemTime time) {
  return format_time(std::chrono::floor<std::chrono::seconds>(time));
}

// "2026-01-31 23:59:59 UTC"
std::string clock_time(SystemTime time) {
  const std::string text = iso(time);
  return text.substr(0, 10) + " " + text.substr(11, 8) + " UTC";
}

Html head(std::string_view title, std::string_view root) {
  return Html()
         << "<head><meta charset=\"utf-8\"><title>" << title
         << "</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
            "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">"
            "<link rel=\"icon\" type=\"image/svg+xml\" href=\""
         << root << address(PageAsset::icon) << "\"><link rel=\"stylesheet\" href=\"" << root
         << address(PageAsset::stylesheet) << "\"><script defer src=\"" << root << address(PageAsset::script)
         << "\"></script></head>";
}

Html state_of(const GatewayFacts::Configuration& configuration, SystemTime now) {
  Html html;
  if (configuration.last_reload_succeeded) {
    html << "configuration loaded " << age(configuration.last_reload_success, now) << " ago";
  } else if (configuration.files_rejected > 0) {
    html << "<strong class=\"bad\">"
         << counted(configuration.files_rejected, "configuration file was", "configuration files were")
         << " skipped because of errors; the log names them</strong>";
  } else {
    html << "<strong class=\"bad\">the last reload failed; the configuration of "
         << clock_time(configuration.last_reload_success) << " stays in force, and the log says why</strong>";
  }
  return html;
}

Html header(std::string_view root, const GatewayFacts& gateway) {
  Html html;
  html << "<header><a class=\"brand\" href=\"" << root
       << "./\">sqlbak-gateway</a><p id=\"gateway\" data-live>version " << gateway.version << " · up "
       << age_in_words(gateway.uptime);
  if (gateway.configuration) html << " · " << state_of(*gateway.configuration, gateway.now);
  return html << "</p><p id=\"refresh\"><span id=\"as-of\" data-live>as of <time datetime=\""
              << iso(gateway.now) << "\">" << clock_time(gateway.now) << "</time></span></p></header>";
}

Html footer(std::string_view root, const GatewayFacts& gateway) {
  Html html;
  html << "<footer><p><a href=\"" << root << "sd\">What Prometheus discovers</a>";
  if (gateway.configuration) {
    html << " <a href=\"" << root << "metrics\">The gateway's own metrics</a> <a href=\"" << root
         << "config\">The running configuration</a>";
  }
  return html << "</p></footer>";
}

}  // namespace

std::string html_document(std::string_view title, std::string_view root, const GatewayFacts& gateway,
                          const Html& main) {
  Html html;
  html << "<!DOCTYPE html>\n<html lang=\"en\">" << head(title, root)
       << "<body><a class=\"skip\" href=\"#list\">Skip to the list</a>" << header(root, gateway)
       << "<p id=\"unreachable\" role=\"alert\"></p><main>" << main << "</main>" << footer(root, gateway)
       << "</body></html>\n";
  return html.take();
}

Json json_document(const GatewayFacts& gateway) {
  Json facts = {{"version", gateway.version}, {"uptime_seconds", json_of(gateway.uptime)}};
  if (gateway.configuration) {
    facts["configuration"] = {{"last_reload_successful", gateway.configuration->last_reload_succeeded},
                              {"last_reload_success_at", json_of(gateway.configuration->last_reload_success)},
                              {"files_rejected", gateway.configuration->files_rejected}};
  }
  return {{"at", json_of(gateway.now)}, {"gateway", std::move(facts)}};
}

std::string text_of(const Json& document) {
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Html age(SystemTime then, SystemTime now) {
  return Html() << "<time datetime=\"" << iso(then) << "\" title=\"" << clock_time(then) << "\">"
                << age_in_words(now - then) << "</time>";
}

Html ago_or(const std::optional<SystemTime>& then, SystemTime now, std::string_view otherwise) {
  return then ? Html() << age(*then, now) << " ago" : Html() << otherwise;
}

}  // namespace sqlbak_gateway::gateway

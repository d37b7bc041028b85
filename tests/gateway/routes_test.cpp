// What each path answers, and to whom.
#include "gateway/gateway_world.h"

#include <algorithm>

namespace sqlbak_gateway::gateway {
namespace {

class RoutesTest : public testing::GatewayWorld {
 protected:
  RoutesTest() {
    configured("acme");
    configured("globex");
  }
  http::Response send(std::string method, std::string path, bool from_this_machine = true) {
    http::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.peer_address = from_this_machine ? "127.0.0.1" : "192.0.2.1";
    request.peer_is_loopback = from_this_machine;
    request.authority = authority_;
    return routes().answer(request);
  }
  std::string authority_ = "gateway.example.com:8000";
  static std::string allow(const http::Response& response) {
    for (const http::NamedValue& header : response.headers) {
      if (header.name == "Allow") return header.value;
    }
    return "";
  }
  void guard_with_password(const std::string& name) {
    config::AccessEntry entry;
    entry.name = name;
    entry.password_bcrypt = Secret("$2b$04$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ01234");
    entry.accounts = {"*"};
    configuration.access.push_back(std::move(entry));
  }
  void guard_with_token(const std::string& name) {
    config::AccessEntry entry;
    entry.name = name;
    entry.bearer_token = config::TokenSource{config::TokenSource::Kind::environment, "SCRAPE", ""};
    entry.accounts = {"*"};
    configuration.access.push_back(std::move(entry));
    environment["SCRAPE"] = "a-token-for-scrapes";
  }
  // The schemes that a refusal offers.
  std::vector<std::string> offered() {
    const http::Response response = get("/");
    EXPECT_EQ(response.status, 401);
    std::vector<std::string> schemes;
    for (const http::NamedValue& header : response.headers) {
      if (header.name == "WWW-Authenticate")
        schemes.push_back(header.value.substr(0, header.value.find(' ')));
    }
    return schemes;
  }
};

TEST_F(RoutesTest, HealthAndReadinessAreSimple) {
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 200);
  gateway().shut_down();
  EXPECT_EQ(get("/-/healthy").status, 200);
  EXPECT_EQ(get("/-/ready").status, 503);
}

// HTTP/1.0 has none, and a client may leave it empty.
TEST_F(RoutesTest, DiscoveryWithoutAHostNeedsToBeToldItsAddress) {
  authority_.clear();
  EXPECT_EQ(send("GET", "/sd").status, 400);
  EXPECT_NE(send("GET", "/sd").body->find("server.advertise"), std::string::npos);
}

TEST_F(RoutesTest, DiscoveryWithoutAHostIsToldItsAddress) {
  authority_.clear();
  configuration.server.advertise = "https://gateway.example.com";
  EXPECT_EQ(send("GET", "/sd").status, 200);
}

TEST_F(RoutesTest, AnUnknownPathIs404) {
  EXPECT_EQ(get("/nothing").status, 404);
}

TEST_F(RoutesTest, OtherMethodsAre405WithAllow) {
  for (const std::string path : {"/", "/probe", "/metrics", "/sd", "/config", "/-/healthy", "/-/ready"}) {
    const http::Response response = send("DELETE", path);
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(allow(response), "GET, HEAD") << path;
  }
  EXPECT_EQ(send("GET", "/-/reload").status, 405);
  EXPECT_EQ(allow(send("GET", "/-/reload")), "POST");
}

TEST_F(RoutesTest, HeadWorksWhereGetDoes) {
  for (const std::string path : {"/", "/metrics", "/sd", "/config", "/-/healthy", "/-/ready"}) {
    EXPECT_EQ(send("HEAD", path).status, 200) << path;
  }
}

TEST_F(RoutesTest, WhateverIsBigIsCompressedForThoseWhoAcceptIt) {
  for (int i = 0; i < 20; ++i) configured("customer-" + std::to_string(i));
  const auto varies = [](const http::Response& response) {
    return std::ranges::count_if(response.headers, [](const http::NamedValue& header) {
      return header.name == "Vary" && header.value == "Accept-Encoding";
    });
  };
  const http::NamedValue hurry = {"X-Prometheus-Scrape-Timeout-Seconds", "0.000001"};
  const std::vector<http::NamedValue> probe = {{"account", "acme"}};
  const std::vector<http::NamedValue> debug = {{"account", "acme"}, {"debug", "true"}};
  const std::vector<std::pair<std::string, std::vector<http::NamedValue>>> pages = {
      {"/", {}},       {"/accounts.json", {}},   {"/metrics", {}},  {"/sd", {}},
      {"/config", {}}, {"/assets/page.css", {}}, {"/probe", probe}, {"/probe", debug}};
  for (const auto& [path, query] : pages) {
    SCOPED_TRACE(path + (query.size() > 1 ? ", debug" : ""));
    const http::Response compressed = get(path, query, {{"Accept-Encoding", "gzip"}, hurry});
    const http::Response plain = get(path, query, {hurry});
    EXPECT_EQ(compressed.content_encoding, "gzip");
    EXPECT_TRUE(compressed.body->starts_with("\x1f\x8b"));
    EXPECT_EQ(plain.content_encoding, "");
    EXPECT_LT(compressed.body->size(), plain.body->size());
    EXPECT_EQ(varies(compressed), 1);
    EXPECT_EQ(varies(plain), 1);
  }
  const http::Response small = get("/-/healthy", {}, {{"Accept-Encoding", "gzip"}});
  EXPECT_EQ(small.content_encoding, "");
  EXPECT_EQ(varies(small), 0);
}

TEST_F(RoutesTest, AProbeNamesExactlyOneAccount) {
  EXPECT_EQ(get("/probe").status, 400);
  EXPECT_EQ(get("/probe", {{"account", ""}}).status, 400);
  EXPECT_EQ(get("/probe", {{"account", "acme"}, {"account", "globex"}}).status, 400);
  EXPECT_EQ(get("/probe", {{"account", "acme"}}, {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}}).status,
            200);
}

TEST_F(RoutesTest, AMalformedScrapeTimeoutIsTheClientsMistake) {
  for (const char* bad : {"", "x", "-1", "0", "nan", "inf", "1s", "1e999", " 1", "0x10"}) {
    EXPECT_EQ(get("/probe", {{"account", "acme"}}, {{"X-Prometheus-Scrape-Timeout-Seconds", bad}}).status,
              400)
        << bad;
  }
}

TEST_F(RoutesTest, AnUnknownAccountIs404AndCounted) {
  const http::Response response = get("/probe", {{"account", "umbrella"}});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(value(series(get("/metrics")), "sqlbak_gateway_unknown_account_probes_total"), 1);
}

class EveryFileRejected : public RoutesTest {
 protected:
  EveryFileRejected() {
    configuration.accounts.clear();
    rejected.push_back({"accounts.d/acme.toml", {{{}, "a mistake"}}});
  }
};

TEST_F(EveryFileRejected, DiscoveryIsAnErrorAndNotAnEmptyList) {
  EXPECT_EQ(get("/sd").status, 503);
}

TEST_F(RoutesTest, ConfigurationAndReloadAreForThisMachineOnly) {
  EXPECT_EQ(send("GET", "/config").status, 200);
  EXPECT_EQ(send("GET", "/config", false).status, 403);
  EXPECT_EQ(send("POST", "/-/reload").status, 200);
  EXPECT_EQ(send("POST", "/-/reload", false).status, 403);
}

TEST_F(RoutesTest, AReloadChangesAccessBeforeItServesNewAddresses) {
  std::vector<int> before;
  std::vector<int> after;
  bool bound = false;
  rebind = [&]() -> Result<void> {
    before.push_back(get("/").status);
    if (!bound) return Error{"the address is in use"};
    return {};
  };
  resume = [&](const config::ServerConfig&) { after.push_back(get("/").status); };
  EXPECT_EQ(get("/").status, 200);
  guard_with_token("prometheus");

  EXPECT_FALSE(reload_configuration().ok());
  EXPECT_EQ(get("/").status, 200) << "refused as a whole";
  bound = true;
  EXPECT_TRUE(reload_configuration().ok());
  EXPECT_EQ(before, (std::vector<int>{200, 200})) << "an old address is served under the old rules";
  EXPECT_EQ(after, std::vector<int>{401});
}

TEST_F(RoutesTest, ARefusalOffersBearerOnlyWhereNobodyHasAPassword) {
  guard_with_token("prometheus");
  EXPECT_EQ(offered(), std::vector<std::string>{"Bearer"});
}

TEST_F(RoutesTest, ARefusalOffersBasicOnlyWhereNobodyHasAToken) {
  guard_with_password("operator");
  EXPECT_EQ(offered(), std::vector<std::string>{"Basic"});
}

TEST_F(RoutesTest, ARefusalOffersBothWhereBothCanWork) {
  guard_with_token("prometheus");
  guard_with_password("operator");
  EXPECT_EQ(offered(), (std::vector<std::string>{"Basic", "Bearer"}));
}

TEST_F(RoutesTest, TheGatewaysOwnMetricsAreThereBeforeAnyProbe) {
  const simulator::Series own = series(get("/metrics"));
  EXPECT_EQ(value(own, "sqlbak_gateway_accounts"), 2);
  EXPECT_EQ(own.at("sqlbak_gateway_probes_total{account=\"acme\",result=\"fresh\"}"), 0);
  EXPECT_EQ(own.at("sqlbak_gateway_account_last_probe_timestamp_seconds{account=\"acme\"}"), 0);
  EXPECT_EQ(own.at("sqlbak_gateway_account_last_success_timestamp_seconds{account=\"globex\"}"), 0);
  EXPECT_GT(*value(own, "process_open_fds"), 2);
  EXPECT_GT(*value(own, "process_resident_memory_bytes"), 1e6);
  EXPECT_FALSE(own.contains("probe_success"));
}

TEST_F(RoutesTest, OwnMetricsCountProbesCollectionsAndApiRequests) {
  collected("acme");
  const simulator::Series own = series(get("/metrics"));
  EXPECT_EQ(own.at("sqlbak_gateway_probes_total{account=\"acme\",result=\"pending\"}"), 1);
  EXPECT_EQ(own.at("sqlbak_gateway_probes_total{account=\"acme\",result=\"fresh\"}"), 1);
  EXPECT_EQ(own.at("sqlbak_gateway_collections_total{account=\"acme\",result=\"success\"}"), 1);
  EXPECT_EQ(own.at("sqlbak_gateway_api_requests_total{account=\"acme\",code=\"200\",endpoint=\"servers\"}"),
            1);
  EXPECT_GT(own.at("sqlbak_gateway_account_last_success_timestamp_seconds{account=\"acme\"}"), 1.7e9);
}

TEST_F(RoutesTest, OnlyTheSingleAccountsMetricsPathWaitsLikeAProbe) {
  EXPECT_EQ(routes().urgency("/probe"), http::Urgency::ordinary);
  EXPECT_EQ(routes().urgency("/nothing"), http::Urgency::ordinary);
  for (const char* path : {"/", "/metrics"}) {
    EXPECT_EQ(routes().urgency(path), http::Urgency::urgent) << path;
  }
  for (const char* path : {"/-/healthy", "/-/ready"}) {
    EXPECT_EQ(routes().urgency(path), http::Urgency::immediate) << path;
  }
}

class SingleAccountTest : public testing::GatewayWorld {
 protected:
  SingleAccountTest() {
    configured("default").token.name = variable("acme");
    configuration.single_account = true;
  }
};

TEST_F(SingleAccountTest, MetricsServesTheAccountAndTheGateway) {
  EXPECT_EQ(routes().urgency("/metrics"), http::Urgency::ordinary);
  get("/metrics", {}, {{"X-Prometheus-Scrape-Timeout-Seconds", "0.001"}});
  let_collections_end();
  const simulator::Series both = series(get("/metrics"));
  EXPECT_EQ(value(both, "probe_success"), 1);
  EXPECT_EQ(value(both, "sqlbak_gateway_accounts"), 1);
  EXPECT_TRUE(both.contains("sqlbak_offline_servers_total"));
}

}  // namespace
}  // namespace sqlbak_gateway::gateway

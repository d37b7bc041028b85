#include "gateway/discovery.h"

#include <gtest/gtest.h>

namespace sqlbak_gateway::gateway {
namespace {

TEST(Discovery, NeedsNoRelabelling) {
  config::AccountConfig acme;
  acme.name = "acme";
  acme.labels = {{"customer", "Acme \"Corp\""}, {"tier", "gold"}};
  acme.scrape_interval = std::chrono::minutes(1);
  acme.scrape_timeout = std::chrono::seconds(30);
  config::AccountConfig globex;
  globex.name = "globex";
  EXPECT_EQ(discovery_document({&acme, &globex}, {"https", "gateway.example.com:8000"}), R"([
 {
  "targets": [
   "gateway.example.com:8000"
  ],
  "labels": {
   "__scheme__": "https",
   "__metrics_path__": "/probe",
   "__param_account": "acme",
   "account": "acme",
   "instance": "acme",
   "__scrape_interval__": "1m",
   "__scrape_timeout__": "30s",
   "customer": "Acme \"Corp\"",
   "tier": "gold"
  }
 },
 {
  "targets": [
   "gateway.example.com:8000"
  ],
  "labels": {
   "__scheme__": "https",
   "__metrics_path__": "/probe",
   "__param_account": "globex",
   "account": "globex",
   "instance": "globex"
  }
 }
]
)");
}

TEST(Discovery, WithoutAccountsIsAnEmptyList) {
  EXPECT_EQ(discovery_document({}, {"http", "h:1"}), "[]\n");
}

TEST(Discovery, SurvivesAHostileHostHeader) {
  config::AccountConfig acme;
  acme.name = "acme";
  EXPECT_NE(discovery_document({&acme}, {"http", "\xFF\"x"}).find("\\\"x"), std::string::npos);
}

TEST(Advertising, ComesFromTheConfigurationElseFromTheRequest) {
  config::ServerConfig server;
  EXPECT_EQ(advertised(server, "http", "10.0.0.1:8000").host, "10.0.0.1:8000");
  EXPECT_EQ(advertised(server, "http", "10.0.0.1:8000").scheme, "http");
  server.advertise = "https://gateway.example.com:8000";
  EXPECT_EQ(advertised(server, "http", "10.0.0.1:8000").host, "gateway.example.com:8000");
  EXPECT_EQ(advertised(server, "http", "10.0.0.1:8000").scheme, "https");
}

}  // namespace
}  // namespace sqlbak_gateway::gateway

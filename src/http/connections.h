// Connections: all that are open, in the order of how long they have been quiet, and how many each client
// has. Resource type; belongs to the event thread.
#pragma once

#include "http/connection.h"

#include <cstddef>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace sqlbak_gateway::http {

class Connections {
 public:
  using Order = std::list<std::shared_ptr<Connection>>;  // the quietest first

  void add(std::shared_ptr<Connection> connection);
  void remove(const std::shared_ptr<Connection>& connection);
  // The connection is not quiet any more.
  void touch(const std::shared_ptr<Connection>& connection);

  // Null if the socket belongs to none of them.
  std::shared_ptr<Connection> find(const Poco::Net::Socket& socket) const;
  // The quietest that no worker has, of `group` if that is given; null if there is none.
  std::shared_ptr<Connection> quietest(const std::string* group) const;

  std::size_t size() const { return order_.size(); }
  std::size_t of_group(const std::string& group) const;
  const Order& all() const { return order_; }

 private:
  Order order_;
  std::unordered_map<const Poco::Net::SocketImpl*, Order::iterator> by_socket_;
  std::unordered_map<std::string, std::size_t> groups_;
};

}  // namespace sqlbak_gateway::http

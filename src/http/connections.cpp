#include "http/connections.h"

#include <utility>

namespace sqlbak_gateway::http {

void Connections::add(std::shared_ptr<Connection> connection) {
  ++groups_[connection->client().group];
  order_.push_back(std::move(connection));
  order_.back()->notes.place = std::prev(order_.end());
  by_socket_[order_.back()->socket().impl()] = std::prev(order_.end());
}

void Connections::remove(const std::shared_ptr<Connection>& connection) {
  by_socket_.erase(connection->socket().impl());
  const auto group = groups_.find(connection->client().group);
  if (--group->second == 0) groups_.erase(group);
  order_.erase(connection->notes.place);
}

void Connections::touch(const std::shared_ptr<Connection>& connection) {
  order_.splice(order_.end(), order_, connection->notes.place);
}

std::shared_ptr<Connection> Connections::find(const Poco::Net::Socket& socket) const {
  const auto found = by_socket_.find(socket.impl());
  return found == by_socket_.end() ? nullptr : *found->second;
}

std::shared_ptr<Connection> Connections::quietest(const std::string* group) const {
  for (const std::shared_ptr<Connection>& connection : order_) {
    if (group != nullptr && connection->client().group != *group) continue;
    MutexLock lock(connection->owner.mutex);
    if (!connection->owner.worker) return connection;
  }
  return nullptr;
}

std::size_t Connections::of_group(const std::string& group) const {
  const auto found = groups_.find(group);
  return found == groups_.end() ? 0 : found->second;
}

}  // namespace sqlbak_gateway::http

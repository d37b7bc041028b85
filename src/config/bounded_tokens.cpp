#include "sqlbak_gateway/config/bounded_tokens.h"

#include <string>
#include <utility>

namespace sqlbak_gateway::config {

BoundedTokens::BoundedTokens(const TokenReader& reader, const Clock& clock, LookAtFile look_at_file,
                             Duration patience)
    : reader_(reader), look_at_file_(std::move(look_at_file)), files_(clock, patience) {}

TokenLook BoundedTokens::look(const TokenSource& source, Deadline deadline) const {
  return look(std::vector{source}, deadline).front();
}

std::vector<TokenLook> BoundedTokens::look(const std::vector<TokenSource>& sources, Deadline deadline) const {
  std::vector<BoundedReader<TokenLook>::Item> files;
  for (const TokenSource& source : sources) {
    if (source.kind != TokenSource::Kind::file) continue;
    files.push_back({source.name + '\0' + source.below,
                     [look_at_file = look_at_file_, source] { return look_at_file(source); }});
  }
  const std::vector<Result<TokenLook>> read = files_.read(files, deadline);

  std::vector<TokenLook> found;
  found.reserve(sources.size());
  auto next = read.begin();
  for (const TokenSource& source : sources) {
    if (source.kind != TokenSource::Kind::file) {
      found.push_back({TokenStamp(), reader_.read(source)});
    } else if (const Result<TokenLook>& look = *next++) {
      found.push_back(*look);
    } else {
      found.push_back({std::nullopt, Error{"token file " + source.name + ' ' + look.error().message}});
    }
  }
  return found;
}

}  // namespace sqlbak_gateway::config

#pragma once

#include <string>

#include "runtime/security/cluster_key.h"
#include <troupe/time.h>

namespace troupe::security {

/// By which a process shows its peers that it knows the cluster's key: PEM texts for mutual TLS.
struct NodeIdentity {
  /// The name in every certificate, whatever address a node is reached by.
  static constexpr const char* kName = "node.troupe.internal";

  std::string authorities;  // whose certificates are believed: one of each secret
  std::string certificate;
  std::string key;
};

/// Makes an identity that lasts for the process.
///
/// Of each secret an Ed25519 key is derived, the same on every node: the cluster's authority. The
/// node's own key is new each time; the authority of the first secret signs it. So no file but the
/// secret has to reach the nodes, and who does not know it has no certificate that they believe.
/// `now`: certificates hold from a day before, in case clocks differ, for twenty years.
NodeIdentity make_identity(const ClusterKey& key, WallTime now);

}  // namespace troupe::security

#pragma once

#include <grpc/health/v1/health.grpc.pb.h>

#include "runtime/api/service.h"

namespace troupe::api {

/// gRPC's health checks: of the server (empty name) and of Dapr's service. Serving once this node
/// is a member of its cluster; open to everybody. Watch is UNIMPLEMENTED, which clients take for
/// serving. Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  /// `service` outlives it.
  explicit HealthService(const api::Service& service) : service_(service) {}

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;

 private:
  const api::Service& service_;
};

}  // namespace troupe::api

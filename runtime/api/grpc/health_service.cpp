#include "runtime/api/grpc/health_service.h"

namespace troupe::api {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context,
                                               const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (!request->service().empty() && request->service() != "dapr.proto.runtime.v1.Dapr") {
    reactor->Finish({grpc::StatusCode::NOT_FOUND, "no service named '" + request->service() + "'"});
    return reactor;
  }
  response->set_status(service_.ready() ? HealthCheckResponse::SERVING
                                        : HealthCheckResponse::NOT_SERVING);
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace troupe::api

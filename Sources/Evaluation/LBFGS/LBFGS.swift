import CLBFGS

/// Minimises a smooth function by limited-memory BFGS with the Moré–Thuente line search of liblbfgs.
///
/// Source: Liu and Nocedal, "On the limited memory BFGS method", Mathematical Programming 45, 1989.
public struct LBFGS: Codable, Hashable, Sendable {
  /// How many past steps approximate the inverse Hessian.
  public var memory: Int
  /// Converged where ‖gradient‖ ≤ tolerance · max(1, ‖x‖).
  public var tolerance: Double
  public var maximumIterations: Int

  public init(memory: Int = 20, tolerance: Double = 1e-5, maximumIterations: Int = 2000) {
    precondition(
      memory >= 3 && tolerance > 0 && maximumIterations > 0, "L-BFGS needs memory >= 3, tolerance > 0, iterations > 0")
    self.memory = memory
    self.tolerance = tolerance
    self.maximumIterations = maximumIterations
  }

  /// Where a minimisation ended.
  public struct Outcome: Sendable {
    public let point: [Double]
    public let value: Double
    /// ‖gradient‖ at `point`, evaluated anew.
    public let gradientNorm: Double
    public let evaluations: Int
    /// Whether the gradient at `point` meets the tolerance, whatever the library said.
    public let converged: Bool
    /// The library's verdict, for messages.
    public let status: String
  }

  /// Minimises from `start`. `objective` returns f(x) and fills the gradient, an array as long as x.
  /// Traps when a gradient has another length.
  public func minimum(from start: [Double], of objective: (_ x: [Double], _ gradient: inout [Double]) -> Double) -> Outcome {
    precondition(!start.isEmpty, "nothing to minimise over")
    // The vectorised build of liblbfgs wants its own allocation and a multiple of 16 variables; the rest stays 0.
    let padded = (start.count + 15) / 16 * 16
    guard let x = unsafe lbfgs_malloc(Int32(padded)) else { preconditionFailure("no memory for \(padded) variables") }
    defer { unsafe lbfgs_free(x) }
    for i in 0..<padded { unsafe x[i] = i < start.count ? start[i] : 0 }
    var parameters = lbfgs_parameter_t()
    unsafe lbfgs_parameter_init(&parameters)
    parameters.m = Int32(memory)
    parameters.epsilon = tolerance
    parameters.max_iterations = Int32(maximumIterations)
    parameters.max_linesearch = 60
    let (code, evaluations) = withoutActuallyEscaping(objective) { objective in
      var call = Call(objective: objective, point: start, gradient: Array(repeating: 0, count: start.count))
      let code = unsafe withUnsafeMutablePointer(to: &call) { call in
        unsafe lbfgs(Int32(padded), x, nil, evaluate, nil, call, &parameters)
      }
      return (code, call.evaluations)
    }
    let point = (0..<start.count).map { unsafe x[$0] }
    var gradient = [Double](repeating: 0, count: start.count)
    let value = objective(point, &gradient)
    let norm = length(gradient)
    return Outcome(
      point: point, value: value, gradientNorm: norm, evaluations: evaluations + 1,
      converged: norm <= tolerance * max(1, length(point)), status: LBFGS.meaning(of: code))
  }

  private func length(_ v: [Double]) -> Double { v.reduce(0) { $0 + $1 * $1 }.squareRoot() }

  private static func meaning(of code: Int32) -> String {
    switch Int(code) {
    case 0: "converged"
    case 2: "the start was already a minimum"
    case LBFGSERR_MAXIMUMITERATION: "the iterations ran out"
    case LBFGSERR_MAXIMUMLINESEARCH: "the line search ran out of trials"
    case LBFGSERR_ROUNDING_ERROR: "the line search met rounding error"
    case LBFGSERR_MINIMUMSTEP, LBFGSERR_MAXIMUMSTEP: "the line search left the range of steps"
    default: "liblbfgs code \(code)"
    }
  }
}

/// What the C callback needs; lives on the stack of `minimum(from:of:)` for as long as the library runs.
private struct Call {
  let objective: ([Double], inout [Double]) -> Double
  var point: [Double]
  var gradient: [Double]
  var evaluations = 0
}

private let evaluate: lbfgs_evaluate_t = { instance, x, gradient, padded, _ in
  guard let call = unsafe instance?.assumingMemoryBound(to: Call.self), let x = unsafe x, let gradient = unsafe gradient else {
    preconditionFailure("liblbfgs lost its arguments")
  }
  let count = unsafe call.pointee.point.count
  for i in 0..<count { unsafe call.pointee.point[i] = x[i] }
  let value = unsafe call.pointee.objective(call.pointee.point, &call.pointee.gradient)
  unsafe call.pointee.evaluations += 1
  precondition(unsafe call.pointee.gradient.count == count, "the objective changed the length of its gradient")
  for i in 0..<count { unsafe gradient[i] = call.pointee.gradient[i] }
  for i in count..<Int(padded) { unsafe gradient[i] = 0 }
  return value
}

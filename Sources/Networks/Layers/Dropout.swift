import Graphs

/// In training, each element is zero at the given rate and the others grow by 1/(1 − rate); in inference nothing happens.
///
/// The masks follow from the scope's path and the input `counter`: see `BernoulliMask` and `Scope.counter`.
/// Source: Srivastava et al., JMLR 15, 2014.
public struct Dropout: Layer {
  public var rate: Double
  public init(_ rate: Double) { self.rate = rate }
  public func callAsFunction(_ x: Value, in scope: Scope) -> Value { x.masked(at: rate, per: .element, in: scope) }
}

/// Stochastic depth: as `Dropout`, but whole examples at once. For the residual branch of a block, before it is added.
///
/// Source: Huang et al., arXiv:1603.09382.
public struct DropPath: Layer {
  public var rate: Double
  public init(_ rate: Double) { self.rate = rate }
  public func callAsFunction(_ x: Value, in scope: Scope) -> Value { x.masked(at: rate, per: .example, in: scope) }
}

extension Value {
  fileprivate func masked(at rate: Double, per unit: BernoulliMask.Unit, in scope: Scope) -> Value {
    precondition((0..<1).contains(rate), "\(scope.path): a rate of \(rate) is not in 0..<1")
    guard scope.mode == .training, rate > 0 else { return self }
    return appended(BernoulliMask(rate: rate, stream: scope.randomStream(), per: unit), [scope.counter])[0]
  }
}

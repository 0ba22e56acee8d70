import Engine
import Foundation
import Graphs
import Networks

/// A rule that moves weights along gradients. A conforming value holds hyper-parameters only; state is passed in.
public protocol Optimizer: Codable, Hashable, Sendable {
  /// The name in recipes.
  static var name: String { get }
  init()
  /// Arrays of state per weight: 1 for momentum, 2 for Adam.
  static var moments: Int { get }
  /// Moves every trainable number once. `state.step` counts from 1 in the first call.
  func update(_ weights: inout Weights, _ gradients: Weights, _ state: inout OptimizerState, learningRate: Float)
  /// Throws for hyper-parameters that no run can have.
  func validate() throws(SettingError)
}

/// What an optimiser remembers between steps.
public struct OptimizerState: Sendable, Equatable {
  public var step = 0
  public var moments: [[Float]]
  public init(moments: Int, count: Int) {
    self.moments = Array(repeating: Array(repeating: 0, count: count), count: moments)
  }
}

/// Stochastic gradient descent, `v ← μv + g + λw; w ← w − ηv`. Source: Sutskever et al., ICML 2013; PyTorch's convention.
///
/// Weight decay λ applies to kernels and matrices, not to biases and normalisation.
public struct SGD: Optimizer {
  public static let name = "sgd"
  public static let moments = 1
  public var momentum: Float = 0.9
  public var weightDecay: Float = 1e-4
  public init() {}

  public func validate() throws(SettingError) {
    try SettingError.require((0..<1).contains(momentum), "momentum", "0 or more, below 1", momentum)
    try SettingError.require(weightDecay >= 0 && weightDecay.isFinite, "weightDecay", "0 or more", weightDecay)
  }

  public func update(_ weights: inout Weights, _ gradients: Weights, _ state: inout OptimizerState, learningRate: Float) {
    state.step += 1
    for slot in weights.slots where slot.role == .trainable {
      let decay = slot.shape.rank > 1 ? weightDecay : 0
      ParameterUpdate.momentum(
        &weights.storage, gradients.storage, &state.moments[0], slot.range, rate: learningRate, momentum: momentum, decay: decay)
    }
  }
}

/// Adam with decoupled weight decay. Source: Loshchilov and Hutter, arXiv:1711.05101.
///
/// Weight decay applies to kernels and matrices, not to biases and normalisation.
public struct AdamW: Optimizer {
  public static let name = "adamw"
  public static let moments = 2
  public var beta1: Float = 0.9
  public var beta2: Float = 0.999
  public var epsilon: Float = 1e-8
  public var weightDecay: Float = 0.01
  public init() {}

  public func validate() throws(SettingError) {
    try SettingError.require((0..<1).contains(beta1), "beta1", "0 or more, below 1", beta1)
    try SettingError.require((0..<1).contains(beta2), "beta2", "0 or more, below 1", beta2)
    try SettingError.require(epsilon > 0 && epsilon.isFinite, "epsilon", "a positive number", epsilon)
    try SettingError.require(weightDecay >= 0 && weightDecay.isFinite, "weightDecay", "0 or more", weightDecay)
  }

  public func update(_ weights: inout Weights, _ gradients: Weights, _ state: inout OptimizerState, learningRate: Float) {
    state.step += 1
    // Two arrays at once need two names.
    var first = state.moments[0], second = state.moments[1]
    state.moments = []
    defer { state.moments = [first, second] }
    let correction1 = 1 - pow(beta1, Float(state.step)), correction2 = 1 - pow(beta2, Float(state.step))
    for slot in weights.slots where slot.role == .trainable {
      let decay = slot.shape.rank > 1 ? weightDecay : 0
      let adam = ParameterUpdate.Adam(
        rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decay, correction1: correction1,
        correction2: correction2)
      ParameterUpdate.adam(&weights.storage, gradients.storage, &first, &second, slot.range, adam)
    }
  }
}

/// Every optimiser by name.
public enum OptimizerCatalog {
  public static let all: [any Optimizer.Type] = [SGD.self, AdamW.self]
  public static func named(_ name: String) -> (any Optimizer.Type)? { all.first { $0.name == name } }
}

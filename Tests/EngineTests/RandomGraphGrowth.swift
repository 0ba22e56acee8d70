import Graphs
import Tensors

extension RandomGraph {
  /// Adds one operation with random settings to random operands.
  func grow() {
    switch pick(0...26) {
    case 0, 1: growConvolution()
    case 2: growTransposedConvolution()
    case 3, 4: growNormalization()
    case 5: growPooling()
    case 6: growResampling()
    case 7: if let x = maps() { keep(x.normalizedAcrossChannels(size: pick([1, 3, 5]), alpha: pick([0.1, 0.5]), beta: pick([0.75, 0.5]), k: pick([1, 2]))) }
    case 8: growRectifier()
    case 9: growRectifiedSum()
    case 10: growArithmetic()
    case 11: growBias()
    case 12, 13: growConcatenation()
    case 14, 15: growSlice()
    case 16: growMirror()
    case 17: growMask()
    case 18: growReshape()
    case 19: growProduct()
    case 20: growPixelLoss()
    case 21: growExampleLoss()
    case 22: growScalar()
    case 23: growConstant()
    case 24: growPower()
    case 25: growRowNormalization()
    default: if let x = maps() { keep(x.globalAverage()) }
    }
  }

  private func growConvolution() {
    guard let x = maps() else { return }
    let kernel = pick([1, 1, 2, 3, 3, 5]), padding = pick(0...kernel / 2), shape = x.shape
    guard min(shape[2], shape[3]) + 2 * padding >= kernel else { return }
    let divisors = (1...shape[1]).filter { shape[1] % $0 == 0 }, groups = pick([1, 1, pick(divisors), shape[1]])
    let maps = groups == 1 ? pick([1, 3, 8, 16, 16, 20, 32]) : groups * pick(1...2)
    let depth = shape[1] / groups, bound = 1.5 / Double(depth * kernel * kernel).squareRoot()
    guard shape.count * maps * depth / shape[1] * kernel * kernel < 200_000 else { return }
    let weight = parameter([maps, depth, kernel, kernel], -bound...bound)
    keep(x.convolved(with: weight, stride: pick([1, 1, 2, 3]), padding: padding, groups: groups))
  }

  private func growTransposedConvolution() {
    guard let x = maps(where: { $0[2] <= 5 && $0[3] <= 5 }) else { return }
    let kernel = pick(1...4), stride = pick(1...3), padding = pick(0...(kernel - 1) / 2), shape = x.shape
    guard (0..<2).allSatisfy({ (shape[2 + $0] - 1) * stride - 2 * padding + kernel > 0 }) else { return }
    let maps = pick([1, 3, 8, 16, 32]), bound = 1.5 / Double(shape[1] * kernel * kernel).squareRoot()
    guard shape.count * maps * kernel * kernel < 200_000 else { return }
    keep(x.convolvedTransposed(with: parameter([shape[1], maps, kernel, kernel], -bound...bound), stride: stride, padding: padding))
  }

  private func growNormalization() {
    let rectifies = chance(50), limit = rectifies && chance(40) ? 0.5 : nil
    // Few numbers have nearly no variance now and then, and dividing by it magnifies every rounding.
    guard let x = maps(where: { $0[0] * $0[2] * $0[3] >= 12 }), !(rectifies && forksAtLeavesOnly) else { return }
    let channels: Shape = [x.shape[1]], gamma = parameter(channels, 0.5...1.5), beta = parameter(channels)
    var inputs = [gamma, beta]
    let given = chance(30)
    if given { inputs += [x.constant(0.1, channels), x.constant(0.7, channels)] }
    let made = x.appended(Normalization(rectifies: rectifies, upTo: limit), inputs)
    if rectifies { fork(.rectifier(x.appended(Normalization(), inputs)[0], limit: limit)) }
    if !given {
      for output in made[1...2] {
        let statistic = parameter(channels, 0.5...1, role: .statistic)
        update(statistic, to: statistic.appended(RunningAverage(momentum: 0.1, correction: 1.2), [output])[0])
      }
    }
    keep(made[0])
  }

  private func growPooling() {
    let kind = pick([Pooling.Kind.maximum, .average])
    guard let x = kind == .maximum ? forkedMaps() : maps() else { return }
    let kernel = pick(1...4), padding = pick(0...kernel / 2), roundsUp = chance(40)
    guard min(x.shape[2], x.shape[3]) + 2 * padding >= kernel else { return }
    let pooling = Pooling(
      kind, kernel: kernel, stride: pick(1...3), padding: min(padding, kernel - 1), roundsUp: roundsUp,
      countsPadding: kind == .average && !roundsUp && chance(50))
    if kind == .maximum { fork(.maximum(x, pooling)) }
    keep(x.appended(pooling)[0])
  }

  private func growResampling() {
    guard let x = maps() else { return }
    let size = [pick(1...9), pick(1...9)]
    keep(chance(70) ? x.resized(to: size, by: pick([.nearest, .bilinear])) : x.adaptiveAverage(to: size))
  }

  private func growRectifier() {
    let x = forksAtLeavesOnly ? freshMaps() : anything(), limit: Double? = chance(50) ? 0.5 : nil
    fork(.rectifier(x, limit: limit))
    keep(x.relu(upTo: limit))
  }

  private func growRectifiedSum() {
    let a = forkedMaps(), b = forksAtLeavesOnly ? leaf(a.shape) : partner(of: a), limit: Double? = chance(30) ? 0.5 : nil
    // Sums of two leaves round in bfloat16: their sign holds, their side of a limit may not.
    if forksAtLeavesOnly && limit != nil { return }
    fork(.rectifier(a + b, limit: limit))
    keep(a.appended(ReLU(upTo: limit), [b])[0])
  }

  private func growArithmetic() {
    let x = anything()
    switch pick(0...3) {
    case 0: keep(x + partner(of: x))
    case 1: keep(x - partner(of: x))
    case 2: keep(x * partner(of: x))
    default: keep(x.scaled(by: pick([-1, 0.5, 1.7])))
    }
  }

  private func growBias() {
    guard let x = chance(50) ? maps() : rows() else { return }
    keep(x.addingBias(parameter([x.shape[1]])))
  }

  private func growConcatenation() {
    let x = anything(), axis = pick(0...min(3, x.shape.rank - 1))
    let others = (0..<pick(1...3)).map { _ -> Value in
      if chance(40) { return partner(of: x) }
      var shape = x.shape
      shape.extents[axis] = axis == 1 ? pick([1, 3, 16, 32]) : pick(1...4)
      return leaf(shape)
    }
    keep(x.concatenated(with: others, axis: axis))
  }

  private func growSlice() {
    let x = anything(), axis = pick(0...x.shape.rank - 1), extent = x.shape[axis]
    var start = pick(0...extent - 1), end = pick(start + 1...extent)
    if axis == 1, extent % 16 == 0, chance(70) {
      start = pick(0...extent / 16 - 1) * 16
      end = pick(start / 16 + 1...extent / 16) * 16
    }
    keep(x.sliced(start..<end, axis: axis))
  }

  private func growMirror() {
    let x = anything()
    keep(x.mirrored(axis: chance(50) ? x.shape.rank - 1 : pick(0...x.shape.rank - 1)))
  }

  private func growMask() {
    let x = anything(), counter = field("counter", [2])
    let mask = BernoulliMask(rate: pick([0.1, 0.5]), stream: UInt64(builder.nodes.count), per: pick([.element, .example]))
    keep(x.appended(mask, [counter])[0])
  }

  private func growReshape() {
    let x = anything(), s = x.shape
    if s.rank == 4 { return keep(chance(70) ? x.flattened() : x.reshaped(to: [s[0], s[1] * s[2], 1, s[3]])) }
    keep(x.reshaped(to: [s[0], s.count / s[0], 1, 1]))
  }

  private func growProduct() {
    let x = rows(), left = chance(30), right = chance(50)
    let inner = left ? x.shape[0] : x.shape[1], outer = pick([1, 3, 16]), bound = 1.5 / Double(inner).squareRoot()
    let other = parameter(right ? [outer, inner] : [inner, outer], -bound...bound)
    keep(x.times(other, transposingLeft: left, transposingRight: right))
  }

  private func growPixelLoss() {
    guard let z = maps() else { return }
    let targets = field("t\(fields.count)", z.shape, 0...1)
    let losses = chance(50) ? z.crossEntropy(targets, smoothing: pick([0, 0.1])) : z.binaryCrossEntropy(targets)
    guard chance(70) else { return keep(losses) }
    keep(losses.mean(over: field("mask\(fields.count)", [z.shape[0], 1, z.shape[2], z.shape[3]])))
  }

  private func growExampleLoss() {
    let z = rows()
    guard chance(60) else {
      let flat = z.reshaped(to: [z.shape.count])
      return keep(flat.binaryCrossEntropy(field("t\(fields.count)", flat.shape, 0...1)))
    }
    keep(z.crossEntropy(field("t\(fields.count)", z.shape, 0...1), smoothing: pick([0, 0.1])))
  }

  private func growConstant() {
    let x = anything()
    if chance(50) { return keep(x.detached()) }
    var numbers = Philox(seed: seed, UInt64(builder.nodes.count))
    let pattern = Tensor(x.shape, (0..<x.shape.count).map { _ in [-1, 0, 0.5, 1].randomElement(using: &numbers)! })
    keep(chance(50) ? x * x.constant(pattern) : x + x.constant(pattern))
  }

  /// Of numbers well above 0.
  private func growPower() {
    let x = forksAtLeavesOnly ? leaf([pick(1...5), pick(1...20)]) : anything()
    keep((x * x + x.constant(0.5, x.shape)).power(pick([-1, -0.5, 0.5, 2])))
  }

  private func growRowNormalization() {
    let x = leaf([pick(1...5), pick([3, 7, 16])])
    keep(chance(50) ? x.normalizedRows(epsilon: 0.1) : x.balancedAssignment(epsilon: pick([0.3, 1]), rounds: pick(1...3)))
  }

  private func growScalar() {
    let scalar = anything().mean()
    keep(chance(40) ? scalar : scalar.appended(Broadcast(to: pick([[3], [2, 5], [2, 3, 4, 1]])))[0])
  }
}

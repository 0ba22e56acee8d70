import Tensors

/// What a backbone says about a set of images, with what is known about each.
public struct Embeddings: Sendable, Equatable {
  /// `[N,D]`.
  public let vectors: Tensor<Float>
  /// N indices into `classes`.
  public let labels: [Int]
  public let classes: [String]
  /// N run ids: examples of one group share beam, pedestals and detector state and must not be split between parts.
  public let groups: [Int]

  /// Traps unless `vectors` is `[N,D]` with D > 0, the labels and groups number N and each label names a class.
  public init(vectors: Tensor<Float>, labels: [Int], classes: [String], groups: [Int]) {
    precondition(vectors.shape.rank == 2 && vectors.shape[1] > 0, "embeddings are [N,D] with D > 0, got \(vectors.shape)")
    precondition(
      labels.count == vectors.shape[0] && groups.count == vectors.shape[0],
      "\(labels.count) labels and \(groups.count) groups for \(vectors.shape) vectors")
    precondition(labels.allSatisfy { classes.indices.contains($0) }, "a label lies outside the \(classes.count) classes")
    self.vectors = vectors
    self.labels = labels
    self.classes = classes
    self.groups = groups
  }

  public var count: Int { vectors.shape[0] }
  public var width: Int { vectors.shape[1] }

  /// The examples at `indices`, in that order.
  public func subset(_ indices: [Int]) -> Embeddings {
    var elements: [Float] = []
    elements.reserveCapacity(indices.count * width)
    for i in indices { elements += vectors.elements[i * width..<(i + 1) * width] }
    return Embeddings(
      vectors: Tensor([indices.count, width], elements), labels: indices.map { labels[$0] }, classes: classes,
      groups: indices.map { groups[$0] })
  }

  /// The same vectors with other labels, for controls (shuffled labels, run ids as labels).
  public func relabelled(_ labels: [Int], classes: [String]) -> Embeddings {
    Embeddings(vectors: vectors, labels: labels, classes: classes, groups: groups)
  }

  /// Throws `ProbeError.notFinite` naming the first row that holds an infinity or not-a-number.
  func checkFinite(_ part: String) throws(ProbeError) {
    if let i = vectors.elements.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(part: part, row: i / width, column: i % width)
    }
  }
}

/// Scales features to mean 0 and standard deviation 1 with the figures of the training part.
///
/// A feature that does not vary in training becomes 0 everywhere: nothing was learnt about it.
public struct Standardization: Sendable, Equatable {
  public let mean: [Double]
  /// 1/σ with σ² the mean squared deviation, or 0 for a constant feature.
  public let scale: [Double]

  /// Fits to `[N,D]`. Traps when N is 0.
  public init(fittedOn vectors: Tensor<Float>) {
    let count = vectors.shape[0], width = vectors.shape[1]
    precondition(count > 0, "nothing to standardise on")
    var sum = [Double](repeating: 0, count: width), squares = sum
    for row in 0..<count {
      for d in 0..<width { sum[d] += Double(vectors.elements[row * width + d]) }
    }
    let mean = sum.map { $0 / Double(count) }
    for row in 0..<count {
      for d in 0..<width {
        let deviation = Double(vectors.elements[row * width + d]) - mean[d]
        squares[d] += deviation * deviation
      }
    }
    self.mean = mean
    scale = (0..<width).map { d in
      let deviation = (squares[d] / Double(count)).squareRoot()
      // Below the rounding of Float a spread is no spread.
      return deviation > 1e-7 * abs(mean[d]) ? 1 / deviation : 0
    }
  }

  /// Leaves features as they are.
  public init(identityOf width: Int) {
    mean = Array(repeating: 0, count: width)
    scale = Array(repeating: 1, count: width)
  }

  /// Standardised rows of `[N,D]`, row-major in double precision.
  public func rows(_ range: Range<Int>, of vectors: Tensor<Float>) -> [Double] {
    let width = vectors.shape[1]
    precondition(width == mean.count, "\(vectors.shape) vectors for a standardisation of width \(mean.count)")
    var result = [Double](repeating: 0, count: range.count * width)
    var i = 0
    for row in range {
      let start = row * width
      for d in 0..<width {
        result[i] = (Double(vectors.elements[start + d]) - mean[d]) * scale[d]
        i += 1
      }
    }
    return result
  }
}

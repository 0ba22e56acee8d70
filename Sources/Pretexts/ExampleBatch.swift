import Tensors

/// The fields of a batch while its examples are made, each in its place: field of shape `[...]` -> `[count, ...]`.
public struct ExampleBatch: Sendable {
  public let count: Int
  /// Zeros until written.
  public private(set) var fields: [String: Tensor<Float>]
  /// What stands before the names of fields that are written, while one of several tasks writes its own.
  var prefix = ""

  /// - Parameter shapes: names and per-example shapes, as `PretextTask.fields` gives them.
  public init(_ shapes: [String: Shape], count: Int) {
    self.count = count
    fields = shapes.mapValues { Tensor(repeating: 0, [count] + $0) }
  }

  /// Lets `body` write field `name` of example `place`, row-major. Traps where there is none.
  public mutating func write<Written>(_ name: String, _ place: Int, _ body: (inout MutableSpan<Float>) -> Written) -> Written {
    precondition((0..<count).contains(place), "no example \(place) in a batch of \(count)")
    let name = prefix + name
    guard let shape = fields[name]?.shape else { preconditionFailure("no field \(name) among \(fields.keys.sorted())") }
    let size = shape.count / count
    func write(_ elements: inout [Float]) -> Written {
      var all = elements.mutableSpan
      var own = all._mutatingExtracting(place * size..<(place + 1) * size)
      return body(&own)
    }
    return write(&fields[name]!.elements)
  }

  /// A 1 at `answer` and zeros elsewhere; traps where there is no such place.
  public mutating func writeOneHot(_ name: String, _ place: Int, answer: Int) {
    write(name, place) { target in
      precondition(target.indices.contains(answer), "\(name) has \(target.count) classes, no \(answer)")
      for i in target.indices { target[i] = i == answer ? 1 : 0 }
    }
  }

  /// Batches joined along their examples, in order.
  public static func joined(_ parts: [ExampleBatch]) -> [String: Tensor<Float>] {
    guard parts.count > 1 else { return parts.first?.fields ?? [:] }
    return Dictionary(uniqueKeysWithValues: parts[0].fields.map { name, first in
      var elements: [Float] = []
      elements.reserveCapacity(parts.reduce(0) { $0 + $1.fields[name]!.elements.count })
      for part in parts { elements += part.fields[name]!.elements }
      return (name, Tensor(Shape([parts.reduce(0) { $0 + $1.count }] + first.shape.extents.dropFirst()), elements))
    })
  }
}

extension PretextTask {
  /// One example by itself, without the batch axis.
  public func makeExample(from shot: Shot, in context: ExampleContext, classes: Int, using random: inout Philox) -> [String: Tensor<Float>] {
    let shapes = fields(side: shot.image.width, classes: classes)
    var batch = ExampleBatch(shapes, count: 1)
    makeExample(from: shot, in: context, using: &random, into: &batch, at: 0)
    return Dictionary(uniqueKeysWithValues: shapes.map { ($0, batch.fields[$0]!.reshaped(to: $1)) })
  }

  /// Of a picture of which nothing else is known.
  public func makeExample(
    from image: MaskedImage, answer: Int?, classes: Int, scaling: InputScaling, augmenting: Bool, using random: inout Philox
  ) -> [String: Tensor<Float>] {
    let context = ExampleContext(scaling: scaling, isAugmenting: augmenting)
    return makeExample(from: Shot(image, answer: answer), in: context, classes: classes, using: &random)
  }

  /// Of a picture of which nothing else is known, into its place of a batch. For tasks that need nothing else of a shot.
  public func makeExample(
    from image: MaskedImage, answer: Int?, scaling: InputScaling, augmenting: Bool, using random: inout Philox,
    into batch: inout ExampleBatch, at place: Int
  ) {
    let context = ExampleContext(scaling: scaling, isAugmenting: augmenting)
    makeExample(from: Shot(image, answer: answer), in: context, using: &random, into: &batch, at: place)
  }
}

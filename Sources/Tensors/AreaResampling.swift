extension MaskedImage {
  /// The picture at another size by area averaging: value = Σ w·v / Σ w over the covered source area, weight = Σ w / area.
  ///
  /// Overlaps are whole numbers in units of 1/(width·newWidth), and sums run from both ends inwards, so that the result
  /// commutes with mirroring and half turns bit for bit, at odd and even sizes. `[H,W] -> [height,width]`; a pixel that no
  /// measured area reaches has weight 0 and value 0. Cost: two multiplications a source pixel.
  public func resampled(toHeight newHeight: Int, width newWidth: Int) -> MaskedImage {
    precondition(newHeight > 0 && newWidth > 0 && height > 0 && width > 0, "cannot resample \(pixels.shape) to \(newHeight) × \(newWidth)")
    if newHeight == height && newWidth == width { return self }
    let h = height, w = width
    let across = AreaOverlap(from: w, to: newWidth), down = AreaOverlap(from: h, to: newHeight)
    var values = [Double](repeating: 0, count: h * newWidth), weights = values
    let source = pixels.elements, sourceWeight = weight.elements
    for row in 0..<h {
      for column in 0..<newWidth {
        let (value, share) = across.sum(column) { (i, overlap) in
          let share = overlap * Double(sourceWeight[row * w + i])
          return (share * Double(source[row * w + i]), share)
        }
        values[row * newWidth + column] = value
        weights[row * newWidth + column] = share
      }
    }
    var result = [Float](repeating: 0, count: newHeight * newWidth), resultWeight = result
    let area = Double(w) * Double(h)
    for row in 0..<newHeight {
      for column in 0..<newWidth {
        let (value, share) = down.sum(row) { (i, overlap) in
          (overlap * values[i * newWidth + column], overlap * weights[i * newWidth + column])
        }
        guard share > 0 else { continue }
        result[row * newWidth + column] = Float(value / share)
        resultWeight[row * newWidth + column] = Float(min(1, share / area))
      }
    }
    return MaskedImage(pixels: Tensor([newHeight, newWidth], result), weight: Tensor([newHeight, newWidth], resultWeight))
  }
}

/// How much of source cell i lies in target cell j when `from` cells are divided into `to`, in units of 1/(from·to).
struct AreaOverlap {
  let from: Int, to: Int

  /// Σ over the source cells of target cell `j`, added from both ends inwards so that the mirrored sum is the same sum.
  @inline(__always)
  func sum(_ j: Int, _ term: (Int, Double) -> (Double, Double)) -> (Double, Double) {
    let low = j * from, high = low + from
    var first = low / to, last = (high + to - 1) / to - 1
    var value = 0.0, share = 0.0
    while first < last {
      let a = term(first, Double(min((first + 1) * to, high) - max(first * to, low)))
      let b = term(last, Double(min((last + 1) * to, high) - max(last * to, low)))
      value += a.0 + b.0
      share += a.1 + b.1
      first += 1
      last -= 1
    }
    if first == last {
      let a = term(first, Double(min((first + 1) * to, high) - max(first * to, low)))
      value += a.0
      share += a.1
    }
    return (value, share)
  }
}

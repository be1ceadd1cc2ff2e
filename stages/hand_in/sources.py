"""The libraries and papers that the report names."""

SOURCES = {  # by the key by which texts cite them
    "Campello 2013": "R. Campello, D. Moulavi, J. Sander. Density-based clustering. PAKDD.",
    "DeVries 2017": "T. DeVries, G. Taylor. Improved regularization with cutout. arXiv:1708.04552.",
    "Goyal 2017": "P. Goyal and others. Accurate, large minibatch SGD. arXiv:1706.02677.",
    "He 2016": "K. He and others. Deep residual learning for image recognition. CVPR.",
    "Hubert 1985": "L. Hubert, P. Arabie. Comparing partitions. Journal of Classification.",
    "Ioffe 2015": "S. Ioffe, C. Szegedy. Batch normalization. ICML.",
    "Jordan 2024": "K. Jordan. 94% on CIFAR-10 in 3.29 seconds. arXiv:2404.00498.",
    "Kobak 2019": "D. Kobak, P. Berens. The art of using t-SNE. Nature Communications.",
    "Loshchilov 2017": "I. Loshchilov, F. Hutter. SGDR: SGD with warm restarts. ICLR.",
    "Loshchilov 2019": "I. Loshchilov, F. Hutter. Decoupled weight decay regularization. ICLR.",
    "McNemar 1947": "Q. McNemar. Sampling error of the difference between correlated proportions.",
    "Muon 2024": "K. Jordan and others. Muon. https://kellerjordan.github.io/posts/muon/.",
    "Nesterov 1983": "Y. Nesterov. A method of solving a convex programming problem.",
    "Page 2019": "D. Page. How to train your ResNet.",
    "Qin 2024": "Z. Qin and others. InfoBatch. ICLR. arXiv:2303.04947.",
    "Rousseeuw 1987": "P. Rousseeuw. Silhouettes. J. of Computational and Applied Mathematics.",
    "Simard 2003": "P. Simard and others. Best practices for convolutional networks. ICDAR.",
    "Szegedy 2016": "C. Szegedy and others. Rethinking the Inception architecture. CVPR.",
    "Thistlethwaite 1960": "D. Thistlethwaite, D. Campbell. Regression-discontinuity analysis.",
    "van der Maaten 2008": "L. van der Maaten, G. Hinton. Visualizing data using t-SNE. JMLR.",
    "Vinh 2010": "N. Vinh, J. Epps, J. Bailey. Information theoretic measures. JMLR.",
    "Wilson 1927": "E. Wilson. Probable inference, the law of succession. JASA.",
    "Wilson 1972": "D. Wilson. Asymptotic properties of nearest neighbor rules. IEEE Trans. SMC.",
    "Xiao 2017": "H. Xiao, K. Rasul, R. Vollgraf. Fashion-MNIST. arXiv:1708.07747.",
}
LIBRARIES = (
    "DVC and DVCLive (pipeline, curves), Keras on TensorFlow (networks), scikit-learn (PCA, t-SNE,"
    " k-means, HDBSCAN, trees, regressions, scores), SciPy (tests and intervals), NumPy, pandas,"
    " Matplotlib (charts), Dask (sweeps), Typst (this document)."
)


def cited(words: str) -> list[str]:
    """Return the sources that words cite, each after its key, in the order of keys."""
    return [f"[{key}] {source}" for key, source in SOURCES.items() if f"[{key}]" in words]
